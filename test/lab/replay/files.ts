import type { ClassName } from '../../../lab/model/records.ts';
import { classes } from '../../../lab/model/model.ts';
import type { RecordValue, Value, XenType } from '../../../lab/model/types.ts';
import { asText } from '../../../lab/model/types.ts';
import { readValue } from '../../../lab/wire/xml-reader.ts';
import { parseXml } from '../../../lab/wire/xml-parser.ts';
import { isStruct } from '../../../lab/wire/rpc.ts';
import type { RpcStruct } from '../../../lab/wire/rpc.ts';
import { fieldOfColumn } from '../../../lab/world/database-text.ts';
import { nullRef } from '../../../lab/world/identities.ts';
import type { Exchange } from './recording.ts';
import type { SeenObject } from './seed.ts';
import { typedRecord } from './seed.ts';

/** The texts in quotes of `('a' 'b')`, each as it was before it was quoted. */
const quoted = (cell: string): string[] =>
  [...cell.matchAll(/'((?:[^'\\]|\\.)*)'/g)].map(([, text = '']) => text.replace(/\\(.)/g, '$1'));

/** The value behind a cell of the daemon's database. */
function cellValue(type: XenType, cell: string): Value {
  if (type.kind === 'bool') return cell === 'true';
  if (type.kind === 'int' || type.kind === 'float') return Number(cell);
  if (type.kind === 'set') return quoted(cell).map((item) => cellValue(type.of, item));
  if (type.kind !== 'map') return cell;
  const texts = quoted(cell);
  const pairs = texts.flatMap((key, at) => (at % 2 === 0 ? [[key, cellValue(type.value, texts[at + 1] ?? '')]] : []));
  return Object.fromEntries(pairs) as RecordValue;
}

const unescaped: Readonly<Record<string, string>> = { '%.': ' ', '%t': '\t', '%n': '\n', '%r': '\r', '%%': '%' };

function rowObject(cls: ClassName, row: string): SeenObject {
  const cells = [...row.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', text = '']) => [name, text] as const);
  const record = cells.flatMap(([name, text]): [string, Value][] => {
    const field = fieldOfColumn(cls, name);
    const cell = text.replace(/%./g, (found) => unescaped[found] ?? found);
    return field === undefined ? [] : [[field.name, cellValue(field.type, cell)]];
  });
  return { cls, ref: cells.find(([name]) => name === '_ref')?.[1] ?? '', record: Object.fromEntries(record) };
}

/** The objects that a dump of the database shows whole. */
export function inDump({ body }: Exchange): SeenObject[] {
  return [...body.matchAll(/<table name="(\w+)">((?:<row [^>]*\/>)+)/g)].flatMap(([, name, rows = '']) => {
    const cls = [...classes.keys()].find((known) => known === name);
    return cls === undefined ? [] : (rows.match(/<row [^>]*\/>/g) ?? []).map((row) => rowObject(cls, row));
  });
}

/** Whether the body is an archive of exported metadata. */
export const isArchive = ({ body }: Exchange): boolean => body.startsWith('ova.xml\0');

/** The objects of an exported VM. `refs` gives the reference of the object that has the uuid. */
export function inArchive({ body }: Exchange, refs: (cls: ClassName, uuid: string) => string): SeenObject[] {
  const text = body.slice(body.indexOf('<value>'), body.lastIndexOf('</value>') + '</value>'.length);
  const description = readValue(parseXml(text)) as { objects: readonly RpcStruct[] };
  const found = description.objects.flatMap(({ class: cls, id, snapshot }) => {
    const known = [...classes.keys()].find((name) => name === cls);
    return known === undefined || snapshot === undefined || !isStruct(snapshot)
      ? []
      : [{ cls: known, number: asText(id as string), record: typedRecord(known, snapshot) }];
  });
  const names = new Map(found.map(({ cls, number, record }) => [number, refs(cls, asText(record['uuid']))]));
  return found.map(({ cls, number, record }) => {
    const named = JSON.stringify(record).replace(/Ref:\d+/g, (ref) => names.get(ref) ?? nullRef);
    return { cls, ref: names.get(number) ?? '', record: JSON.parse(named) as RecordValue };
  });
}
