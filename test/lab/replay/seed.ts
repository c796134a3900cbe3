import { decode } from '../../../lab/dispatch/decode.ts';
import { classes, newestModel } from '../../../lab/model/model.ts';
import type { ClassName } from '../../../lab/model/records.ts';
import type { RecordValue, Value, XenType } from '../../../lab/model/types.ts';
import { isList, isStruct } from '../../../lab/wire/rpc.ts';
import type { Rpc, RpcStruct } from '../../../lab/wire/rpc.ts';
import { readValue } from '../../../lab/wire/xml-reader.ts';
import type { XmlElement } from '../../../lab/wire/xml-parser.ts';
import { parseXml } from '../../../lab/wire/xml-parser.ts';
import type { Exchange } from './recording.ts';

/** An object that an answer shows. */
export interface SeenObject {
  readonly cls: ClassName;
  readonly ref: string;
  readonly record: RecordValue;
}

/** The class whose fields, in their order, these are. */
function classOf(names: readonly string[]): ClassName | undefined {
  const key = names.join();
  return [...classes.values()].find(({ fields }) => fields.map(({ name }) => name).join() === key)?.name;
}

/** The fields of a record as the world holds them. */
export function typedRecord(cls: ClassName, struct: RpcStruct): RecordValue {
  const fields = classes.get(cls)?.fields ?? [];
  return Object.fromEntries(
    fields.map((field): [string, Value] => [field.name, decode(newestModel, field.type, struct[field.name] ?? '')]),
  );
}

function seen(ref: string, value: Rpc | undefined): SeenObject[] {
  if (value === undefined || !isStruct(value)) return [];
  const cls = classOf(Object.keys(value));
  return cls === undefined ? [] : [{ cls, ref, record: typedRecord(cls, value) }];
}

function inValue(value: Rpc, asked: string): SeenObject[] {
  if (Array.isArray(value)) return (value as readonly Rpc[]).flatMap((item) => inValue(item, ''));
  if (!isStruct(value)) return [];
  if (typeof value['ref'] === 'string' && value['snapshot'] !== undefined) return seen(value['ref'], value['snapshot']);
  if (asked !== '' && seen(asked, value).length > 0) return seen(asked, value);
  return Object.entries(value).flatMap(([name, item]) =>
    name.startsWith('OpaqueRef:') ? seen(name, item) : inValue(item, ''),
  );
}

const tails = [
  // A batch of events.
  {
    next: '</struct></value></member></struct></value><value><struct><member><name>id</name>',
    keep: '</struct></value></member></struct></value>',
    close:
      '</data></array></value></member></struct></value></member></struct></value></param></params></methodResponse>',
  },
  // A map of records.
  {
    next: '</struct></value></member><member><name>OpaqueRef:',
    keep: '</struct></value></member>',
    close: '</struct></value></member></struct></value></param></params></methodResponse>',
  },
];

/** The whole objects at the start of a cut body. */
function whole(body: string): string {
  for (const { next, keep, close } of tails) {
    const end = body.lastIndexOf(next);
    if (end >= 0) return body.slice(0, end) + keep + close;
  }
  return '';
}

/** The members at the start of the text up to the last one that is whole. */
function wholeMembers(text: string): Rpc {
  const end = '</value></member>';
  for (let at = text.lastIndexOf(end); at >= 0; at = text.lastIndexOf(end, at - 1)) {
    try {
      return readValue(parseXml(`<value><struct>${text.slice(0, at)}${end}</struct></value>`));
    } catch {
      // Cut inside of a nested value: the member before it may be whole.
    }
  }
  return {};
}

/** What the body's end still shows of the object in which it was cut: its first fields. */
export function cutObject({ body }: Exchange): { readonly ref: string; readonly fields: RpcStruct } {
  const rest = body.slice(Math.max(...tails.map(({ next }) => body.lastIndexOf(next))));
  const start = rest.indexOf('<member><name>uuid</name>');
  const ref = /OpaqueRef:[0-9a-f-]{36}/.exec(rest.slice(0, start))?.[0] ?? '';
  const fields = wholeMembers(rest.slice(start));
  return { ref, fields: isStruct(fields) ? fields : {} };
}

/** The body as a value, as far as it is whole. */
export function answerOf({ body, fullBodyBytes }: Exchange): Rpc {
  if (body.startsWith('{') && fullBodyBytes === undefined) return JSON.parse(body) as Rpc;
  const xml = fullBodyBytes === undefined ? body : whole(body);
  if (!xml.startsWith('<?xml')) return '';
  let element: XmlElement | undefined = parseXml(xml);
  for (const name of ['params', 'param', 'value']) {
    element = element?.children.find((child): child is XmlElement => typeof child !== 'string' && child.name === name);
  }
  return element === undefined ? '' : readValue(element);
}

export const typedValue = (type: XenType, value: Rpc): Value => decode(newestModel, type, value);

/** The fields of `cutObject` as the world holds them. */
export function cutRecord(cls: ClassName, fields: RpcStruct): RecordValue {
  const known = (classes.get(cls)?.fields ?? []).filter(({ name }) => fields[name] !== undefined);
  return Object.fromEntries(
    known.map((field): [string, Value] => [field.name, decode(newestModel, field.type, fields[field.name] ?? '')]),
  );
}

/** Every object that the answer shows as a record. */
export function objectsIn(exchange: Exchange): SeenObject[] {
  const asked = /get_record[\s\S]*OpaqueRef:[\s\S]*?(OpaqueRef:[0-9a-f-]{36})/.exec(exchange.sent)?.[1] ?? '';
  const answer = answerOf(exchange);
  return isStruct(answer) ? inValue(answer['Value'] ?? answer['result'] ?? '', asked) : [];
}

/** valid_ref_counts of the answer, by the class in lower case. */
export function countsIn(exchange: Exchange): Map<string, number> {
  const answer = answerOf(exchange);
  const value = isStruct(answer) ? answer['Value'] : undefined;
  const counts = value !== undefined && isStruct(value) ? value['valid_ref_counts'] : undefined;
  return new Map(Object.entries(counts ?? {}).map(([name, count]) => [name, Number(count)]));
}

/** The objects that a batch of events tells of as new, messages only where they are asked for. */
export function addedIn(exchange: Exchange, withMessages: boolean): string[] {
  const answer = answerOf(exchange);
  const value = isStruct(answer) ? (answer['Value'] ?? answer['result']) : undefined;
  const events = value !== undefined && isStruct(value) ? (value['events'] ?? []) : (value ?? []);
  if (!isList(events)) return [];
  return events.flatMap((event) => {
    if (!isStruct(event) || event['operation'] !== 'add' || typeof event['ref'] !== 'string') return [];
    return event['class'] === 'message' && !withMessages ? [] : [event['ref']];
  });
}
