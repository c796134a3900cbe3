import { bootGuest } from './behaviour/guest-lifecycle.ts';
import { classModel, classes } from './model/model.ts';
import type { ClassName } from './model/records.ts';
import type { RecordValue } from './model/types.ts';
import type { JournalLine, SavedPool } from './state-file.ts';
import { isKept } from './state-file.ts';
import { nullRef } from './world/identities.ts';
import type { World } from './world/world.ts';

/** More than sessions and tasks, which are counted but not kept, can have moved the count on since the last line. */
const unseenGenerations = 1_000_000;

/** A pool as it is at this moment. */
export function savePool(world: World, where: Pick<SavedPool, 'origin' | 'addresses' | 'port'>): SavedPool {
  const kept = [...classes.keys()].filter(isKept);
  return {
    id: world.id,
    ...where,
    generation: world.store.generation,
    objects: kept.flatMap((cls) => [...world.store.entries(cls)].map(({ ref, record }) => [cls, ref, record] as const)),
    facts: world.facts(),
  };
}

const emptyRecord = (cls: ClassName): RecordValue =>
  Object.fromEntries(classModel(cls).fields.map(({ name, initial }) => [name, initial]));

function replay(world: World, line: JournalLine): void {
  if ('fact' in line) {
    world.learn(line.fact);
    return;
  }
  const { cls, ref, fields } = line;
  const before = world.store.find(cls, ref) === undefined ? emptyRecord(cls) : world.store.entry(cls, ref).record;
  world.store.restore(cls, ref, fields === null ? undefined : { ...before, ...fields });
}

/** Operations under way are lost; guests of running VMs come up again at the address that they had. */
export async function restorePool(world: World, saved: SavedPool, journal: readonly JournalLine[]): Promise<void> {
  const own = journal.filter(({ pool }) => pool === saved.id);
  const known = own.reduce((last, line) => ('fact' in line ? last : line.generation), saved.generation);
  world.store.generation = known + unseenGenerations;
  for (const [cls, ref, record] of saved.objects) world.store.restore(cls, ref, record);
  for (const fact of saved.facts) world.learn(fact);
  for (const line of own) replay(world, line);
  for (const [, machine] of world.machines.all()) if (machine.power !== 'on') machine.toolstack = 'down';
  const changed = new Set(own.flatMap((line) => ('fact' in line ? [] : [line.cls])));
  for (const cls of changed) world.store.relinkAll(cls);
  for (const [vm, record] of world.store.records('VM')) {
    world.lastDomid = Math.max(world.lastDomid, record.domid);
    world.store.update('VM', vm, { current_operations: {}, scheduled_to_be_resident_on: nullRef });
    const isUp = world.machines.of(record.resident_on).power !== 'off';
    if (record.power_state === 'Running' && !record.is_control_domain && isUp) await bootGuest(world, vm, 0);
  }
}
