import { classes, newestModel } from '../../../lab/model/model.ts';
import type { MessageModel } from '../../../lab/model/model.ts';
import type { ClassName } from '../../../lab/model/records.ts';
import type { RecordValue, XenType } from '../../../lab/model/types.ts';
import { asText } from '../../../lab/model/types.ts';
import { jsonCodec } from '../../../lab/wire/json-codec.ts';
import type { Rpc } from '../../../lab/wire/rpc.ts';
import { isList, isStruct } from '../../../lab/wire/rpc.ts';
import { xmlCodec } from '../../../lab/wire/xml-codec.ts';
import { inArchive, inDump, isArchive } from './files.ts';
import { filler } from './objects.ts';
import type { Exchange } from './recording.ts';
import { answerOf, cutObject, cutRecord, objectsIn, typedValue } from './seed.ts';

/** What one exchange shows of an object: all of its fields, or some. */
export interface Sighting {
  readonly n: number;
  readonly cls: ClassName;
  readonly ref: string;
  readonly record: RecordValue;
}

/** An API call with its answer. */
export interface SeenCall {
  readonly n: number;
  /** Without `Async.`. */
  readonly method: string;
  readonly isAsync: boolean;
  readonly params: readonly Rpc[];
  readonly message: MessageModel | undefined;
  /** Undefined for a failure. */
  readonly result: Rpc | undefined;
  /** The code of a failure. */
  readonly code: string;
  /** Code and parameters of a failure. */
  readonly error: readonly string[];
}

const messages = new Map([...classes.values()].flatMap((model) => model.messages).map((m) => [m.fullName, m]));

export const realRef = /^OpaqueRef:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const textOf = (value: Rpc | undefined): string => (typeof value === 'string' ? value : '');

/** Code and parameters of a failure, in the form of either encoding. */
export function failureOf(error: Rpc): string[] {
  if (isList(error)) return error.map(textOf);
  if (!isStruct(error)) return [];
  const data = error['data'] ?? [];
  return [textOf(error['message']), ...(isList(data) ? data.map(textOf) : [])];
}

function outcome(exchange: Exchange): Pick<SeenCall, 'result' | 'code' | 'error'> {
  const answer = answerOf(exchange);
  if (!isStruct(answer)) return { result: undefined, code: '', error: [] };
  const failure = answer['ErrorDescription'] ?? answer['error'] ?? null;
  if (failure === null) return { result: answer['Value'] ?? answer['result'] ?? '', code: '', error: [] };
  const error = failureOf(failure);
  return { result: undefined, code: error[0] ?? '', error };
}

export const isRead = (call: SeenCall): boolean => /\.(get_|assert_|from$|next$)/.test(call.method);

/** Undefined for what is no API call that both sides understood. */
export function callIn(exchange: Exchange): SeenCall | undefined {
  const body = exchange.sent.slice(exchange.sent.indexOf('\r\n\r\n') + 4);
  try {
    const codec = body.startsWith('{') ? jsonCodec : xmlCodec;
    const { method, params } = codec.decodeCall(body, newestModel);
    const name = method.replace(/^(Internal)?Async\./, '');
    return {
      n: exchange.n,
      method: name,
      isAsync: name !== method,
      params,
      message: messages.get(name),
      ...outcome(exchange),
    };
  } catch {
    return undefined;
  }
}

/** The references in a value, each with the class that its type says. */
export function refsIn(type: XenType, value: Rpc | undefined): (readonly [ClassName, string])[] {
  if (type.kind === 'ref')
    return typeof value === 'string' && realRef.test(value) ? [[type.cls as ClassName, value]] : [];
  if (type.kind === 'set') return value !== undefined && isList(value) ? value.flatMap((v) => refsIn(type.of, v)) : [];
  if (value === undefined || !isStruct(value)) return [];
  if (type.kind === 'map')
    return Object.entries(value).flatMap(([key, item]) => [...refsIn(type.key, key), ...refsIn(type.value, item)]);
  if (type.kind !== 'record') return [];
  const fields = classes.get(type.cls as ClassName)?.fields ?? [];
  return fields.flatMap((field) => refsIn(field.type, value[field.name]));
}

/** The class of the object in which a body was cut: the last event's, or the one that was asked for. */
function classOfCut({ body }: Exchange, call: SeenCall | undefined): ClassName | undefined {
  const name = [...body.matchAll(/<name>class<\/name><value>(\w+)</g)].at(-1)?.[1] ?? call?.message?.cls;
  return [...classes.keys()].find((cls) => cls.toLowerCase() === name?.toLowerCase());
}

function fieldRead({ n, message, params, result }: SeenCall): Sighting[] {
  const field = message?.name.startsWith('get_') === true ? message.name.slice('get_'.length) : '';
  const known = message === undefined ? undefined : classes.get(message.cls)?.field.get(field);
  const ref = params[1];
  if (message === undefined || known === undefined || result === undefined || typeof ref !== 'string') return [];
  return [{ n, cls: message.cls, ref, record: { [field]: typedValue(known.type, result) } }];
}

/** The objects in an archive of exported metadata, which names them by uuid: as far as they are known otherwise. */
export function archivedIn(exchange: Exchange, seen: readonly Sighting[]): Sighting[] {
  if (!isArchive(exchange)) return [];
  const known = new Map(seen.map(({ ref, record }) => [asText(record['uuid']), ref]));
  const unseenOf = (wanted: ClassName) => {
    const refs = seen.flatMap(({ cls, record }) =>
      (classes.get(cls)?.fields ?? [])
        .filter(({ type }) => type.kind === 'ref' && type.cls === wanted)
        .map(({ name }) => asText(record[name])),
    );
    return refs.find((ref) => realRef.test(ref) && ![...known.values()].includes(ref));
  };
  const refOf = (cls: ClassName, uuid: string) => known.get(uuid) ?? unseenOf(cls) ?? filler(cls).ref;
  return inArchive(exchange, refOf).map((object) => ({ n: exchange.n, ...object }));
}

/** The state that a VM has to be in for a call to succeed. */
const statesBefore: Readonly<Record<string, string>> = {
  start: 'Halted',
  start_on: 'Halted',
  pause: 'Running',
  unpause: 'Paused',
  suspend: 'Running',
  resume: 'Suspended',
  resume_on: 'Suspended',
  clean_shutdown: 'Running',
  clean_reboot: 'Running',
  hard_reboot: 'Running',
  pool_migrate: 'Running',
};

/** The state that a call on a VM found: told by its failure, or by its success. */
function stateFound({ n, message, params, result, error, isAsync }: SeenCall): Sighting[] {
  const [ref] = params.slice(1);
  const told = error[0] === 'VM_BAD_POWER_STATE' ? error[3] : undefined;
  const wanted = result !== undefined && !isAsync && message?.cls === 'VM' ? statesBefore[message.name] : undefined;
  const state = told === undefined ? wanted : `${told.slice(0, 1).toUpperCase()}${told.slice(1)}`;
  return typeof ref === 'string' && state !== undefined ? [{ n, cls: 'VM', ref, record: { power_state: state } }] : [];
}

/** What the exchange shows of any object. */
export function sightingsIn(exchange: Exchange, call: SeenCall | undefined): Sighting[] {
  if (call === undefined) return inDump(exchange).map((object) => ({ n: exchange.n, ...object }));
  const whole = objectsIn(exchange).map((object) => ({ n: exchange.n, ...object }));
  if (exchange.fullBodyBytes === undefined) return [...whole, ...fieldRead(call), ...stateFound(call)];
  const cls = classOfCut(exchange, call);
  const { ref, fields } = cutObject(exchange);
  if (cls === undefined || ref === '') return whole;
  return [...whole, { n: exchange.n, cls, ref, record: cutRecord(cls, fields) }];
}
