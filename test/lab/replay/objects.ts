import { derivations } from '../../../lab/behaviour/allowed-operations.ts';
import { classModel } from '../../../lab/model/model.ts';
import type { ClassName } from '../../../lab/model/records.ts';
import type { RecordValue, Value } from '../../../lab/model/types.ts';
import { asText } from '../../../lab/model/types.ts';
import { Identities } from '../../../lab/world/identities.ts';
import { Store } from '../../../lab/world/store.ts';
import type { Exchange } from './recording.ts';
import type { SeenObject } from './seed.ts';
import { countsIn, cutObject, cutRecord, objectsIn } from './seed.ts';

export const host = 'OpaqueRef:8b84060f-0d20-485e-d6b9-e08aa934d88f';
const member = 'OpaqueRef:69863f67-0000-4000-8000-000000000001';
export const controlDomain = 'OpaqueRef:e66d8617-df8d-5756-4b99-3abadea21f39';

let counter = 0;
const nextUuid = () => `fffffff0-0000-4000-8000-${String(++counter).padStart(12, '0')}`;

const vmOperations = (record: RecordValue): RecordValue =>
  derivations.VM?.derive(record, new Store(new Identities('1'), {})) ?? {};

/** An object that is known to be there although no answer shows it. */
export function unseen(cls: ClassName, ref: string, fields: RecordValue = {}): SeenObject {
  const initial = classModel(cls).fields.map((field): [string, Value] => [field.name, field.initial]);
  const record = { ...Object.fromEntries(initial), uuid: nextUuid(), ...fields };
  return { cls, ref, record: cls === 'VM' ? { ...record, ...vmOperations(record) } : record };
}

export const filler = (cls: ClassName, fields: RecordValue = {}) => unseen(cls, `OpaqueRef:${nextUuid()}`, fields);

export function from(recorded: ReadonlyMap<number, Exchange>, ...numbers: readonly number[]): SeenObject[] {
  return numbers.flatMap((n) => {
    const exchange = recorded.get(n);
    return exchange === undefined ? [] : objectsIn(exchange);
  });
}

/** The object in which the answer's body was cut, as far as it is shown. */
export function cut(recorded: ReadonlyMap<number, Exchange>, n: number, cls: ClassName): SeenObject[] {
  const exchange = recorded.get(n);
  if (exchange === undefined) return [];
  const { ref, fields } = cutObject(exchange);
  return ref === '' ? [] : [unseen(cls, ref, cutRecord(cls, fields))];
}

export const patched = (objects: readonly SeenObject[], ref: string, fields: RecordValue): SeenObject[] =>
  objects.map((object) => (object.ref.includes(ref) ? { ...object, record: { ...object.record, ...fields } } : object));

/** Pool, host and control domain as the first answers show them. */
export function base(recorded: ReadonlyMap<number, Exchange>): SeenObject[] {
  const [pool, first] = [from(recorded, 145), from(recorded, 146)];
  const metrics = asText(first[0]?.record['metrics']);
  const cpus = (first[0]?.record['host_CPUs'] ?? []) as readonly string[];
  return [
    ...pool,
    ...first,
    unseen('host_metrics', metrics, { memory_total: 32_194_428_928, live: true }),
    unseen('VM', controlDomain, {
      name_label: 'Control domain',
      is_control_domain: true,
      power_state: 'Running',
      resident_on: host,
    }),
    ...cpus.map((ref) => unseen('host_cpu', ref, { host })),
  ];
}

/** As many objects of each class as the answer counts. */
export function filled(objects: readonly SeenObject[], exchange: Exchange | undefined): SeenObject[] {
  const counts = exchange === undefined ? new Map<string, number>() : countsIn(exchange);
  const missing = [...counts].flatMap(([name, count]) => {
    const cls = classNames.get(name);
    if (cls === undefined) return [];
    const there = objects.filter((object) => object.cls === cls).length;
    return Array.from({ length: Math.max(0, count - there) }, () => filler(cls));
  });
  return [...objects, ...missing];
}

const fillable: readonly ClassName[] = [
  'user',
  'secret',
  'network',
  'console',
  'VM_metrics',
  'VM',
  'SR',
  'SM',
  'PIF_metrics',
  'PIF',
  'PBD',
];
const classNames = new Map(fillable.map((cls) => [cls.toLowerCase(), cls]));

export const vmRefs = (exchange: Exchange | undefined) => [
  ...new Set(exchange?.body.match(/OpaqueRef:[0-9a-f-]{36}/g) ?? []),
];

export function secondHost(recorded: ReadonlyMap<number, Exchange>, ref: string): SeenObject[] {
  const [first] = from(recorded, 146);
  const metrics = `OpaqueRef:${nextUuid()}`;
  return [
    unseen('host', ref, {
      ...first?.record,
      uuid: nextUuid(),
      name_label: 'realhost2',
      address: '192.0.2.11',
      metrics,
      host_CPUs: [],
      resident_VMs: [],
    }),
    unseen('host_metrics', metrics, { memory_total: 34_359_738_368, live: true }),
  ];
}

export const memberOf = (exchange: Exchange | undefined) =>
  vmRefs(exchange).find((ref) => ref.startsWith(member.slice(0, 18))) ?? member;
