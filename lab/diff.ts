import { isDeepStrictEqual } from 'node:util';
import { classes } from './model/model.ts';
import type { ClassName } from './model/records.ts';
import type { RecordValue, Value } from './model/types.ts';
import { isPending } from './world/tasks.ts';
import type { World } from './world/world.ts';
import { asText } from './model/types.ts';

/** Every object of every pool at one moment. Taking one is cheap: records are never changed in place. */
export interface WorldSnapshot {
  readonly pools: ReadonlyMap<string, ReadonlyMap<ClassName, ReadonlyMap<string, RecordValue>>>;
}

export interface WorldChange {
  readonly pool: string;
  readonly cls: ClassName;
  readonly ref: string;
  readonly uuid: string;
  /** name_label, else what tells the object from its like. */
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** For "changed": what differs, with both values. */
  readonly fields?: Readonly<Record<string, { readonly before: Value; readonly after: Value }>>;
}

/** Classes that come and go with every client. */
const ignoredClasses: Readonly<Partial<Record<ClassName, string>>> = {
  session: 'who is logged in is no state of the cloud',
  message: 'alerts are a history: every start and stop adds one, nothing takes them back',
};

const ignoredFields: Readonly<Partial<Record<ClassName, Readonly<Record<string, string>>>>> = {
  VM: { domid: 'a counter of the hypervisor: each start takes the next number' },
  host_metrics: { last_updated: 'the time of the last sample' },
  VM_metrics: { last_updated: 'the time of the last sample' },
  VM_guest_metrics: { last_updated: 'the time of the last sample' },
};

/** What the guest of a halted VM said last is kept until the VM starts again: a receipt of its last run. */
const isLastWord = (cls: ClassName, field: string, { power_state: state }: RecordValue): boolean =>
  cls === 'VM' && field === 'guest_metrics' && state === 'Halted';

const lastWords = (world: World): ReadonlySet<string> =>
  new Set(
    world.store
      .records('VM')
      .filter(([, vm]) => vm.power_state === 'Halted')
      .map(([, vm]) => vm.guest_metrics),
  );

/** A task that has ended is a receipt, which goes by itself; one that still runs counts. */
const isReceipt = (cls: ClassName, record: RecordValue): boolean =>
  cls === 'task' && !isPending(asText(record['status']));

export function snapshot(worlds: Iterable<World>): WorldSnapshot {
  const pools = [...worlds].map((world) => {
    const receipts = lastWords(world);
    const objects = [...classes.keys()]
      .filter((cls) => ignoredClasses[cls] === undefined)
      .map((cls) => {
        const entries = [...world.store.entries(cls)].filter(
          ({ ref, record }) => !receipts.has(ref) && !isReceipt(cls, record),
        );
        return [cls, new Map(entries.map(({ ref, record }) => [ref, record]))] as const;
      });
    return [world.id, new Map(objects)] as const;
  });
  return { pools: new Map(pools) };
}

/** The order of a set says nothing. */
const normal = (value: Value | undefined): unknown =>
  Array.isArray(value) ? [...(value as Value[])].map((item) => JSON.stringify(item)).sort() : value;

function changedFields(cls: ClassName, before: RecordValue, after: RecordValue): WorldChange['fields'] | undefined {
  const names = Object.keys(after).filter((name) => {
    if (ignoredFields[cls]?.[name] !== undefined || isLastWord(cls, name, after)) return false;
    return !isDeepStrictEqual(normal(before[name]), normal(after[name]));
  });
  if (names.length === 0) return undefined;
  return Object.fromEntries(names.map((name) => [name, { before: before[name] ?? '', after: after[name] ?? '' }]));
}

const nameOf = (record: RecordValue): string =>
  asText(record['name_label'] ?? record['userdevice'] ?? record['device'] ?? record['hostname'] ?? '');

function compare(cls: ClassName, ref: string, before: RecordValue | undefined, after: RecordValue | undefined) {
  const record = after ?? before ?? {};
  const what = { cls, ref, uuid: asText(record['uuid']), name: nameOf(record) };
  if (before === undefined) return { ...what, change: 'added' as const };
  if (after === undefined) return { ...what, change: 'removed' as const };
  const fields = before === after ? undefined : changedFields(cls, before, after);
  return fields === undefined ? undefined : { ...what, change: 'changed' as const, fields };
}

/** What is different; an empty list says that nothing leaked and nothing was left switched off. */
export function diff(before: WorldSnapshot, after: WorldSnapshot): WorldChange[] {
  const changes: WorldChange[] = [];
  for (const [pool, now] of after.pools) {
    for (const [cls, objects] of now) {
      const old = before.pools.get(pool)?.get(cls) ?? new Map<string, RecordValue>();
      for (const ref of new Set([...old.keys(), ...objects.keys()])) {
        const change = compare(cls, ref, old.get(ref), objects.get(ref));
        if (change !== undefined) changes.push({ pool, ...change });
      }
    }
  }
  return changes;
}
