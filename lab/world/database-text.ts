import { classModel } from '../model/model.ts';
import type { FieldModel } from '../model/model.ts';
import type { ClassName } from '../model/records.ts';
import type { RecordValue, Value, XenType } from '../model/types.ts';
import { asText, parseType } from '../model/types.ts';
import { toldKey } from '../wire/ordered-keys.ts';
import type { Store } from './store.ts';

/** Fields that the daemon groups under a common first word; its database writes `name__label` where the API says `name_label`. */
const groups: Readonly<Partial<Record<ClassName, readonly string[]>>> = {
  VM: ['name', 'memory', 'VCPUs', 'actions', 'PV', 'HVM'],
  VM_metrics: ['memory', 'VCPUs'],
  VBD: ['qos'],
  VIF: ['qos'],
  host: ['name', 'memory', 'API_version'],
  host_metrics: ['memory'],
  PIF_metrics: ['io'],
  // The pool is the one class whose name is written as it is read.
  pool: [],
};

/** The field as the daemon's database and its query language name it. */
function columnName(cls: ClassName, field: string): string {
  const prefix = (groups[cls] ?? ['name']).find((group) => field.startsWith(`${group}_`));
  return prefix === undefined ? field : `${prefix}__${field.slice(prefix.length + 1)}`;
}

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** A value as the daemon's database keeps it: `('a' 'b')` for a set, `(('key' 'value'))` for a map, all else as plain text. */
export function cellText(type: XenType, value: Value): string {
  switch (type.kind) {
    case 'set':
      return `(${(value as readonly Value[]).map((item) => quoted(cellText(type.of, item))).join(' ')})`;
    case 'map': {
      const pairs = Object.entries(value as RecordValue);
      return `(${pairs.map(([key, item]) => `(${quoted(toldKey(key))} ${quoted(cellText(type.value, item))})`).join(' ')})`;
    }
    default:
      return asText(value);
  }
}

/** A number that was never written still stands as OCaml prints the schema's default: `0.`, not `0`. */
function fieldText({ type, initial, qualifier }: FieldModel, value: Value): string {
  const untouched = type.kind === 'float' && qualifier === 'RO/runtime' && value === initial;
  return `${cellText(type, value)}${untouched && Number.isInteger(value) ? '.' : ''}`;
}

/** The field that a column holds. Undefined when the class has no such column. */
export function fieldOfColumn(cls: ClassName, column: string): FieldModel | undefined {
  return classModel(cls).fields.find(({ name }) => columnName(cls, name) === column);
}

/** What the daemon's database keeps of an object beside its published fields. */
function unpublished(store: Store, cls: ClassName, record: RecordValue): [string, string][] {
  if (cls === 'PIF') return [['device_name', asText(record['device'])]];
  if (cls === 'VM') return [['recommended_guidances', '()']];
  if (cls !== 'SM') return [];
  const byHost = Object.fromEntries(store.refs('host').map((host) => [host, '()']));
  return [['host_pending_features', cellText(parseType('(string -> string) map'), byHost)]];
}

/** An object as a row of the daemon's database: its columns with their texts, by ascending name, `_ref` among them. */
export function rowOf(store: Store, cls: ClassName, ref: string): [string, string][] {
  const { record } = store.entry(cls, ref);
  const cells = classModel(cls).fields.map((field): [string, string] => [
    columnName(cls, field.name),
    fieldText(field, record[field.name] ?? field.initial),
  ]);
  const own: [string, string] = ['_ref', ref];
  return [...cells, ...unpublished(store, cls, record), own].sort(([a], [b]) => (a < b ? -1 : 1));
}
