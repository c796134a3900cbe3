import { classModel } from '../../../lab/model/model.ts';
import type { ClassName } from '../../../lab/model/records.ts';
import type { RecordValue, Value } from '../../../lab/model/types.ts';
import { asText } from '../../../lab/model/types.ts';
import type { Chapter } from './chapters.ts';
import { byAge, fillers, hostsOf, household, linked, listed, storage } from './complete.ts';
import { filler, unseen } from './objects.ts';
import type { SeenCall, Sighting } from './observed.ts';
import { callIn, realRef, refsIn, sightingsIn } from './observed.ts';
import type { Exchange } from './recording.ts';
import type { SeenObject } from './seed.ts';
import { countsIn } from './seed.ts';

/** Failures that come before anyone looks for the objects that a call names. */
const early = /^(INTERNAL_ERROR|HANDLE_INVALID|SESSION_INVALID|MESSAGE_|HOST_IS_SLAVE|Fault|UUID_INVALID)/;

const isRead = (call: SeenCall): boolean => /\.(get_|assert_|from$|next$)/.test(call.method);

/** Everything that the files show, in the order of their exchanges. */
interface Evidence {
  readonly calls: ReadonlyMap<number, SeenCall>;
  readonly sightings: readonly Sighting[];
}

function evidenceOf(exchanges: readonly Exchange[]): Evidence {
  const calls = new Map<number, SeenCall>();
  const sightings = exchanges.flatMap((exchange) => {
    const call = callIn(exchange);
    if (call !== undefined) calls.set(exchange.n, call);
    return sightingsIn(exchange, call);
  });
  return { calls, sightings };
}

/** Stretches without a gap that one host answered: what comes later in one follows from what came before. */
function stretchesOf(exchanges: readonly Exchange[]): (readonly Exchange[])[] {
  const members = new Set(exchanges.filter(saysMember).map(({ group }) => group));
  const stretches: Exchange[][] = [];
  for (const item of exchanges) {
    const last = stretches.at(-1)?.at(-1);
    const follows = last?.n === item.n - 1 && members.has(last.group) === members.has(item.group);
    if (follows) stretches.at(-1)?.push(item);
    else stretches.push([item]);
  }
  return stretches;
}

const saysMember = ({ sent, body }: Exchange): boolean =>
  sent.includes('session.login_with_password') && body.includes('HOST_IS_SLAVE');

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

/** Objects that calls of the stretch made, and what belongs to them. */
function bornIn(stretch: readonly Exchange[], evidence: Evidence): Set<string> {
  const born = new Set<string>();
  for (const { n } of stretch) {
    const call = evidence.calls.get(n);
    if (call !== undefined && !isRead(call) && typeof call.result === 'string') born.add(call.result);
  }
  const [first, last] = [stretch[0]?.n ?? 0, stretch.at(-1)?.n ?? 0];
  const own = evidence.sightings.filter(({ n }) => n >= first && n <= last);
  for (const ref of scanned(stretch, evidence)) born.add(ref);
  for (let before = -1; before < born.size;) {
    before = born.size;
    for (const { cls, ref, record } of own) {
      if (belongs(cls, record, born)) born.add(ref);
      if (born.has(ref)) for (const part of parts(cls, record)) born.add(part);
    }
  }
  return born;
}

/** What a scan of the host's network cards found: nobody named it before. */
function scanned(stretch: readonly Exchange[], { calls }: Evidence): string[] {
  const scan = stretch.findIndex(({ n }) => calls.get(n)?.method === 'PIF.scan');
  if (scan < 0) return [];
  const before = stretch.slice(0, scan + 1).map(({ sent, body }) => sent + body);
  const found = stretch.slice(scan).flatMap(({ n }) => {
    const call = calls.get(n);
    return call?.message?.cls === 'PIF' ? refsIn(call.message.result, call.result).map(([, ref]) => ref) : [];
  });
  return found.filter((ref) => !before.some((text) => text.includes(ref)));
}

const owners = ['VM', 'VBD', 'VIF', 'VBDs', 'PIFs'];
const belongs = (cls: ClassName, record: RecordValue, born: ReadonlySet<string>): boolean =>
  ['VBD', 'VIF', 'VDI', 'console', 'network'].includes(cls) &&
  owners.some((field) => [record[field] ?? []].flat().some((ref) => born.has(asText(ref))));

const parts = (cls: ClassName, record: RecordValue): string[] =>
  cls === 'VM' ? ['metrics', 'guest_metrics'].map((field) => asText(record[field])) : [];

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

/** The object's fields at the beginning: as first read in the stretch, else as read last before it, else as read after. */
function initialRecord(ref: string, stretch: readonly Exchange[], { calls, sightings }: Evidence): RecordValue {
  const [first, last] = [stretch[0]?.n ?? 0, stretch.at(-1)?.n ?? 0];
  const of = sightings.filter((sighting) => sighting.ref === ref);
  const writes = [...calls.values()].filter(
    ({ n, params, result, ...call }) =>
      n >= first && n <= last && result !== undefined && params[1] === ref && !isRead({ n, params, result, ...call }),
  );
  const later = of.filter(({ n }) => n > last).reverse();
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
    // What was under way when it was seen is no part of the beginning, and the born are not there yet.
    const {
      current_operations: _operations,
      resident_VMs: _residents,
      ...record
    } = initialRecord(ref, stretch, evidence);
    objects.set(ref, unseen(cls, ref, record));
  };
  const [first, last] = [stretch[0]?.n ?? 0, stretch.at(-1)?.n ?? 0];
  for (const { cls, ref } of evidence.sightings.filter(({ cls }) => cls === 'pool' || cls === 'host')) add(cls, ref);
  const shown = evidence.sightings.filter(({ n }) => n >= first && n <= last);
  for (const { cls, ref } of shown) if (realRef.test(ref)) add(cls, ref);
  for (const [ref, cls] of named(stretch, evidence)) add(cls, ref);
  for (const object of household(objects)) {
    const known = objects.get(object.ref)?.record;
    const fields = classModel(object.cls).fields.filter(({ name }) => known?.[name] !== undefined).length;
    if (known === undefined || fields === 0 || asText(known['uuid']).startsWith('fffffff0'))
      objects.set(object.ref, object);
  }
  for (const { cls, record } of [...objects.values()]) if (cls === 'VDI') add('SR', asText(record['SR']));
  const all = storage([...objects.values()], stretch).filter(({ ref }) => realRef.test(ref));
  const pbds = all
    .filter(({ cls, record }) => cls === 'SR' && (record['PBDs'] as readonly string[]).length === 0)
    .map(({ ref }) => filler('PBD', { SR: ref, host: hostsOf(all)[0] ?? '', currently_attached: true }));
  const known = [...all, ...pbds];
  const whole = [...known, ...listed(known)];
  return linked(byAge([...fillers(whole, stretch, born), ...whole], shown));
}

/** A file's stretches as they can be replayed; `known` may show more of the world than the file itself. */
export function chaptersOf(file: readonly Exchange[], known: readonly Exchange[]): Chapter[] {
  const evidence = evidenceOf(
    [...new Map([...known, ...file].map((item) => [item.n, item])).values()].sort((a, b) => a.n - b.n),
  );
  return stretchesOf(file).map((stretch) => {
    const sessions = sessionsBefore(stretch, evidence);
    return {
      name: `${stretch[0]?.n}-${stretch.at(-1)?.n}`,
      groups: [...new Set(stretch.map(({ group }) => group))],
      host: stretch.some(saysMember) ? 1 : 0,
      sessions: sessions.map((ref) => ref.slice('OpaqueRef:'.length)),
      otherSessions: otherSessions(stretch, sessions.length, evidence),
      objects: () => worldOf(stretch, evidence),
    };
  });
}
