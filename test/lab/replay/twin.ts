import { newestModel } from '../../../lab/model/model.ts';
import type { ClassName } from '../../../lab/model/records.ts';
import type { RecordValue, XenType } from '../../../lab/model/types.ts';
import { asText } from '../../../lab/model/types.ts';
import { decode } from '../../../lab/dispatch/decode.ts';
import type { DecodedCall } from '../../../lab/wire/codec.ts';
import { jsonCodec } from '../../../lab/wire/json-codec.ts';
import { parseJson } from '../../../lab/wire/json-parser.ts';
import type { EventBatch, EventValue, Result } from '../../../lab/wire/render.ts';
import type { Rpc, RpcStruct } from '../../../lab/wire/rpc.ts';
import { Base64, DateTime, Float, isList, isStruct } from '../../../lab/wire/rpc.ts';
import { xmlCodec } from '../../../lab/wire/xml-codec.ts';
import { escapeXml } from '../../../lab/wire/xml-printer.ts';
import { callIn, failureOf } from './observed.ts';
import type { RawAnswer } from './raw-exchange.ts';
import type { Exchange } from './recording.ts';
import type { Accent } from './run.ts';
import { answerOf } from './seed.ts';

const bodyOf = ({ sent }: Exchange): string => sent.slice(sent.indexOf('\r\n\r\n') + 4);
const isJson = (exchange: Exchange): boolean => bodyOf(exchange).startsWith('{');

/** Whether the exchange is about a call and not about HTTP or an encoding itself. */
const hasTwin = (exchange: Exchange): boolean =>
  /^POST \/(jsonrpc)? HTTP\/1\.1\r\nHost: 127/.test(exchange.sent) &&
  exchange.status === 'HTTP/1.1 200 OK' &&
  callIn(exchange) !== undefined &&
  !exchange.sent.includes('system.listMethods');

function asJson(value: Rpc): string {
  if (value instanceof Float) return Number.isInteger(value.value) ? `${value.value}.0` : String(value.value);
  if (value instanceof DateTime || value instanceof Base64) return JSON.stringify(value.text);
  if (typeof value === 'bigint') return String(value);
  if (isList(value)) return `[${value.map(asJson).join()}]`;
  if (!isStruct(value)) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, item]) => `${JSON.stringify(name)}:${asJson(item)}`)
    .join()}}`;
}

function asXml(value: Rpc): string {
  if (value === null) return '<value><nil/></value>';
  if (typeof value === 'string') return `<value>${escapeXml(value)}</value>`;
  if (typeof value === 'boolean') return `<value><boolean>${Number(value)}</boolean></value>`;
  if (value instanceof Float) return `<value><double>${value.value}</double></value>`;
  if (value instanceof DateTime) return `<value><dateTime.iso8601>${value.text}</dateTime.iso8601></value>`;
  if (value instanceof Base64) return `<value><base64>${Buffer.from(value.text).toString('base64')}</base64></value>`;
  if (isList(value)) return `<value><array><data>${value.map(asXml).join('')}</data></array></value>`;
  if (!isStruct(value)) return `<value><int>${value}</int></value>`;
  const members = Object.entries(value).map(([name, item]) => `<member><name>${name}</name>${asXml(item)}</member>`);
  return `<value><struct>${members.join('')}</struct></value>`;
}

const post = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

const decodedCall = (exchange: Exchange): DecodedCall =>
  (isJson(exchange) ? jsonCodec : xmlCodec).decodeCall(bodyOf(exchange), newestModel);

function request(exchange: Exchange, version: 1 | 2): string {
  const { method, params } = decodedCall(exchange);
  if (!isJson(exchange)) {
    const head = version === 2 ? '"jsonrpc":"2.0",' : '';
    return post('/jsonrpc', `{${head}"method":"${method}","params":[${params.map(asJson).join()}],"id":7}`);
  }
  const items = params.map((param) => `<param>${asXml(param)}</param>`).join('');
  return post('/', `<methodCall><methodName>${method}</methodName><params>${items}</params></methodCall>`);
}

const struct = (value: Rpc | undefined): RpcStruct => (value !== undefined && isStruct(value) ? value : {});
const list = (value: Rpc | undefined): readonly Rpc[] => (value !== undefined && isList(value) ? value : []);

/** A record of any class, with the fields that only the daemon writes. */
function record(cls: string, value: RpcStruct): RecordValue {
  const fields = newestModel.classes.get(cls as ClassName)?.fields ?? [];
  return Object.fromEntries(fields.map(({ name, type }) => [name, decode(newestModel, type, value[name] ?? '')]));
}

function event(value: Rpc): EventValue {
  const { snapshot, ...rest } = struct(value);
  const cls = [...newestModel.classes.keys()].find((name) => name.toLowerCase() === rest['class']) ?? '';
  const known = rest as unknown as EventValue;
  return snapshot === undefined ? known : { ...known, snapshot: { cls, record: record(cls, struct(snapshot)) } };
}

function batch(value: RpcStruct): EventBatch {
  const counts = Object.entries(struct(value['valid_ref_counts']));
  const events = list(value['events']).map(event);
  return {
    events,
    validRefCounts: counts.map(([cls, n]) => [cls, Number(n)]),
    token: asText(value['token'] as string),
  };
}

/** What an answer carries as the value that it was made from. */
function result(type: XenType, value: Rpc): Result {
  if (type.kind === 'batch') return batch(struct(value));
  if (type.kind === 'record') return record(type.cls, struct(value));
  if (type.kind === 'set' && type.of.kind === 'record' && type.of.cls === 'event') return list(value).map(event);
  if (type.kind !== 'map' || type.value.kind !== 'record') return decode(newestModel, type, value);
  const { cls } = type.value;
  return Object.fromEntries(Object.entries(struct(value)).map(([ref, item]) => [ref, record(cls, struct(item))]));
}

/** Of a call that the data model does not publish, the value tells. */
function resultType(exchange: Exchange, given: Rpc): XenType {
  const call = callIn(exchange);
  if (call?.isAsync === true) return { kind: 'ref', cls: 'task' };
  return call?.message?.result ?? { kind: typeof given === 'boolean' ? 'bool' : 'string' };
}

/** The answer as it would have been in the encoding of the recorded request. */
function translated(exchange: Exchange, answer: RawAnswer): string {
  const original = decodedCall(exchange);
  const value = isJson(exchange) ? answerOf({ ...exchange, body: answer.body }) : parseJson(answer.body);
  const { error = null, ErrorDescription = null, ...rest } = struct(value);
  const refused = failureOf(error ?? ErrorDescription ?? []);
  if (refused.length > 0) return original.failure(refused);
  const given = rest['result'] ?? rest['Value'] ?? '';
  const type = resultType(exchange, given);
  return original.success(type, result(type, given));
}

/** Says what was said by XML-RPC in the given version of JSON-RPC, and by JSON-RPC what was said by XML-RPC. */
export const twin = (version: 1 | 2): Accent => ({
  say: (exchange) => (hasTwin(exchange) ? request(exchange, version) : exchange.sent),
  hear: (exchange, answer) => {
    if (!hasTwin(exchange)) return answer;
    const [type] = exchange.headers.filter(([name]) => name === 'content-type').map(([, value]) => value);
    const headers = answer.headers.map(
      ([name, value]) => [name, name === 'content-type' ? (type ?? '') : value] as const,
    );
    return { ...answer, headers, body: translated(exchange, answer) };
  },
});
