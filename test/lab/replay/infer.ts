import { classModel } from '../../../lab/model/model.ts';
import type { ClassName } from '../../../lab/model/records.ts';
import type { RecordValue, Value } from '../../../lab/model/types.ts';
import { asText } from '../../../lab/model/types.ts';
import { targetsOf } from '../../../lab/world/links.ts';
import type { Chapter } from './run.ts';
import { askedOf, involvesMember } from './asked.ts';
import { bornIn } from './born.ts';
import {
  attached,
  byAge,
  fillers,
  household,
  linked,
  listedIn,
  namedBy,
  placed,
  plugged,
  storage,
} from './complete.ts';
import { unseen, unseenUuid } from './objects.ts';
import type { Evidence } from './evidence.ts';
import { evidenceOf } from './evidence.ts';
import type { SeenCall } from './observed.ts';
import { isRead, realRef, refsIn } from './observed.ts';
import type { Exchange } from './recording.ts';
import type { SeenObject } from './seed.ts';
import { countsIn } from './seed.ts';
import { stretchesOf } from './stretches.ts';

/** Failures that come before anyone looks for the objects that a call names. */
const early = /^(INTERNAL_ERROR|HANDLE_INVALID|SESSION_INVALID|MESSAGE_|HOST_IS_SLAVE|Fault|UUID_INVALID)/;

/** Sessions that are used although no answer of the stretch gave them. */
function sessionsBefore(stretch: readonly Exchange[], { calls }: Evidence): string[] {
  const given = new Set<string>();
  const used = new Set<string>();
  for (const { n, body } of stretch) {
    const call = calls.get(n);
    const [session] = call?.message?.hasSession === true ? call.params : [];
    const isGood = call?.result !== undefined || (call?.code !== 'SESSION_INVALID' && call?.code !== '');
    if (typeof session === 'string' && realRef.test(session) && isGood && !given.has(session)) used.add(session);
    for (const ref of body.match(/OpaqueRef:[0-9a-f-]{36}/g) ?? []) given.add(ref);
  }
  return [...used];
}

/** Sessions of others, as the first batch of events counts them. */
function otherSessions(stretch: readonly Exchange[], own: number, { calls }: Evidence): number {
  const counted = stretch.find((exchange) => countsIn(exchange).has('session'));
  if (counted === undefined) return 0;
  const logins = stretch.filter(({ n }) => n < counted.n && /login/.test(calls.get(n)?.method ?? ''));
  return Math.max(0, (countsIn(counted).get('session') ?? 0) - own - logins.length);
}

/** The objects that a stretch names as there, with their classes, in the order of their naming. */
function named(stretch: readonly Exchange[], evidence: Evidence): Map<string, ClassName> {
  const found = new Map<string, ClassName>();
  const add = (cls: ClassName, ref: string) => {
    if (cls !== 'session' && cls !== 'task' && !found.has(ref)) found.set(ref, cls);
  };
  for (const { n } of stretch) {
    const call = evidence.calls.get(n);
    const { message } = call ?? {};
    if (call !== undefined && message !== undefined && !early.test(call.code)) {
      const given = call.params.slice(message.hasSession ? 1 : 0);
      message.params.forEach(({ type }, at) => refsIn(type, given[at]).forEach(([cls, ref]) => add(cls, ref)));
      if (isRead(call)) refsIn(message.result, call.result).forEach(([cls, ref]) => add(cls, ref));
    }
  }
  return found;
}

/** The hosts that any answer names. */
const hostsNamed = ({ calls }: Evidence): string[] =>
  [...calls.values()].flatMap(({ message, result }) =>
    message?.fullName === 'host.get_all' ? refsIn(message.result, result).map(([, ref]) => ref) : [],
  );

/** Undoes what a call of the stretch did to a field that was read after it; undefined where that cannot be told. */
function undone(calls: readonly SeenCall[], field: string, value: Value): Value | undefined {
  return calls.reduceRight<Value | undefined>((now, { method, params }) => {
    const [, verb] = new RegExp(`\\.(set|add_to|remove_from|add|remove)_${field}$`).exec(method) ?? [];
    if (verb === undefined || now === undefined) return now;
    const key = asText(params[2] as Value);
    if (verb === 'add_to')
      return Object.fromEntries(Object.entries(now as RecordValue).filter(([name]) => name !== key));
    if (verb === 'add') return (now as readonly Value[]).filter((item) => item !== key);
    return undefined;
  }, value);
}

/** What an object has of others comes and goes: without the references that it did not have from its own beginning on. */
function withoutOwn(cls: ClassName, record: RecordValue): RecordValue {
  const isOwn = (name: string) => classModel(cls).field.get(name)?.type.kind === 'set' || name === 'guest_metrics';
  return Object.fromEntries(Object.entries(record).filter(([name]) => !isOwn(name)));
}

/** The born are not there yet. */
function withoutBorn(cls: ClassName, record: RecordValue, born: ReadonlySet<string>): RecordValue {
  const fields = Object.entries(record).map(([name, value]): [string, Value] => {
    const field = classModel(cls).field.get(name);
    if (field?.type.kind === 'ref' && born.has(asText(value))) return [name, field.initial];
    const isSetOfRefs = field?.type.kind === 'set' && field.type.of.kind === 'ref';
    return [name, isSetOfRefs ? targetsOf(value).filter((ref) => !born.has(ref)) : value];
  });
  return Object.fromEntries(fields);
}

/** The object's fields at the beginning: as first read in the stretch, else as read last before it, else as read after. */
function initialRecord(ref: string, stretch: readonly Exchange[], { calls, sightings }: Evidence): RecordValue {
  const [first, last] = [stretch[0]?.n ?? 0, stretch.at(-1)?.n ?? 0];
  const of = sightings.filter((sighting) => sighting.ref === ref);
  const writes = [...calls.values()].filter(
    (call) => call.n >= first && call.n <= last && call.result !== undefined && call.params[1] === ref && !isRead(call),
  );
  const later = of
    .filter(({ n }) => n > last)
    .reverse()
    .map(({ n, cls, ref, record }) => ({ n, cls, ref, record: withoutOwn(cls, record) }));
  const during = of.filter(({ n }) => n >= first && n <= last).reverse();
  const before = of.filter(({ n }) => n < first);
  const surely = during.map(({ n, record }) => {
    const earlier = writes.filter((call) => call.n < n);
    const isMoved = earlier.some(({ method }) => !/\.(set|add|remove)_/.test(method));
    if (isMoved) return {};
    const fields = Object.entries(record).map(([name, value]) => [name, undone(earlier, name, value)] as const);
    return Object.fromEntries(fields.filter(([, value]) => value !== undefined)) as RecordValue;
  });
  return Object.assign({}, ...[...later, ...during, ...before].map(({ record }) => record), ...surely) as RecordValue;
}

/** The world at the beginning of a stretch, as far as the answers of all exchanges show it. */
function worldOf(stretch: readonly Exchange[], evidence: Evidence): SeenObject[] {
  const born = bornIn(stretch, evidence);
  const objects = new Map<string, SeenObject>();
  const add = (cls: ClassName, ref: string) => {
    if (born.has(ref) || objects.has(ref)) return;
    // What was under way when it was seen is no part of the beginning.
    const {
      current_operations: _operations,
      resident_VMs: _residents,
      ...record
    } = withoutBorn(cls, initialRecord(ref, stretch, evidence), born);
    objects.set(ref, unseen(cls, ref, record));
  };
  const [first, last] = [stretch[0]?.n ?? 0, stretch.at(-1)?.n ?? 0];
  for (const { cls, ref } of evidence.sightings.filter(({ cls }) => cls === 'pool' || cls === 'host')) add(cls, ref);
  if (involvesMember(stretch)) for (const ref of hostsNamed(evidence)) add('host', ref);
  const shown = evidence.sightings.filter(({ n }) => n >= first && n <= last);
  for (const { cls, ref } of shown) if (realRef.test(ref)) add(cls, ref);
  for (const [ref, cls] of named(stretch, evidence)) add(cls, ref);
  for (const object of household(objects)) {
    const known = objects.get(object.ref)?.record;
    const fields = classModel(object.cls).fields.filter(({ name }) => known?.[name] !== undefined).length;
    if (known === undefined || fields === 0 || asText(known['uuid']).startsWith(unseenUuid))
      objects.set(object.ref, object);
  }
  // The map grows while it is walked through: what is named may name more.
  for (const object of objects.values())
    for (const { cls, ref } of namedBy(object))
      if (cls !== 'task' && cls !== 'session' && realRef.test(ref)) add(cls, ref);
  const all = placed(attached(storage([...objects.values()], stretch))).filter(({ ref }) => realRef.test(ref));
  const known = plugged(all);
  const there = listedIn([...fillers(known, stretch, born), ...known], stretch, evidence.calls);
  return linked(byAge(there, shown));
}

/** A file's stretches as they can be replayed; `known` may show more of the world than the file itself. */
export function chaptersOf(file: readonly Exchange[], known: readonly Exchange[]): Chapter[] {
  const evidence = evidenceOf(
    [...new Map([...known, ...file].map((item) => [item.n, item])).values()].sort((a, b) => a.n - b.n),
  );
  return stretchesOf(file, evidence).map((exchanges) => {
    const sessions = sessionsBefore(exchanges, evidence);
    return {
      exchanges,
      asked: askedOf(exchanges, evidence),
      sessions,
      otherSessions: otherSessions(exchanges, sessions.length, evidence),
      objects: worldOf(exchanges, evidence),
    };
  });
}
