import type { Call } from '../dispatch/call.ts';
import type { ClassName } from '../model/records.ts';
import type { RecordValue } from '../model/types.ts';
import { copyObjects } from '../world/copy-objects.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { changesOnArrival, objectsThatArrive } from './arrival.ts';
import { rehouseGuest } from './guest-lifecycle.ts';
import { refreshPlan } from './ha-plan.ts';
import { refreshFreeMemory } from './memory.ts';
import { sendMemory } from './migration.ts';
import type { Crossing } from './pool-crossing-checks.ts';
import { assertCanCross } from './pool-crossing-checks.ts';
import { withRoomOn } from './reservation.ts';
import { createVdi, destroyVdi } from './vdi.ts';
import { removeVm } from './vm-life.ts';
import { postMessage, whereabouts } from './vm-support.ts';

/** References over there, by those here. */
type References = ReadonlyMap<string, string>;

/** New disks with the same content; what was made goes again when one cannot be made. */
function copyDisks(world: World, { there, srs }: Crossing): References {
  const made = new Map<string, string>();
  try {
    for (const [vdi, sr] of srs) {
      const { uuid: _uuid, VBDs: _vbds, snapshots: _snapshots, ...original } = world.store.get('VDI', vdi);
      const fresh = { snapshot_of: nullRef, current_operations: {}, crash_dumps: [] };
      made.set(vdi, createVdi(there, { ...original, ...fresh, SR: sr }));
      there.contents.copyFrom(world.contents, vdi, made.get(vdi) ?? '');
    }
  } catch (error) {
    for (const vdi of made.values()) destroyVdi(there, vdi);
    throw error;
  }
  for (const [vdi, copy] of made) {
    const original = made.get(world.store.get('VDI', vdi).snapshot_of);
    if (original !== undefined) there.store.update('VDI', copy, { snapshot_of: original });
  }
  return made;
}

/** Takes back what was made over there. */
function withdraw({ there, vms, srs }: Crossing, refs: References): void {
  for (const vm of vms) {
    const copy = refs.get(vm) ?? nullRef;
    if (there.store.find('VM', copy) !== undefined) removeVm(there, copy);
  }
  for (const vdi of srs.keys()) {
    const copy = refs.get(vdi) ?? nullRef;
    if (there.store.find('VDI', copy) !== undefined) destroyVdi(there, copy);
  }
}

/** It runs over there from now on. */
function comeAlive(world: World, { vm, there, host }: Crossing, refs: References): void {
  const { VBDs: vbds, VIFs: vifs, power_state: state, uuid } = world.store.get('VM', vm);
  const moved = refs.get(vm) ?? nullRef;
  there.store.update('VM', moved, { power_state: state, resident_on: host, domid: there.nextDomid() });
  for (const [cls, refsHere] of [
    ['VBD', vbds],
    ['VIF', vifs],
  ] as const)
    for (const ref of refsHere)
      if (world.store.get(cls, ref).currently_attached)
        there.store.update(cls, refs.get(ref) ?? nullRef, { currently_attached: true });
  rehouseGuest(world, vm, there, moved);
  there.setGuestAddress(uuid, world.guestAddress(uuid) ?? null);
}

/** Nothing of the VM is here any more. */
function leave(world: World, { vm, vms, srs }: Crossing): void {
  const { resident_on: home, uuid } = world.store.get('VM', vm);
  for (const one of vms) removeVm(world, one);
  for (const vdi of srs.keys()) destroyVdi(world, vdi);
  world.setGuestAddress(uuid, null);
  if (home !== nullRef) refreshFreeMemory(world, home);
}

/**
 * The VM's objects are made over there first, where nobody else can do anything with them until it has arrived; then its memory
 * and disks follow. Whatever goes wrong before that leaves it as it was, and nothing over there. Gives the reference over there.
 */
export async function cross(call: Call, crossing: Crossing): Promise<string> {
  const { world, signal } = call;
  const { vm, vms, there, host, networks, copy } = crossing;
  assertCanCross(world, crossing);
  const disks = copyDisks(world, crossing);
  const newRef = () => there.identities.ref();
  const changes = changesOnArrival(world.store, there, !copy);
  const plugged = (cls: ClassName, ref: string): RecordValue =>
    cls === 'VIF' ? { ...changes(cls, ref), network: networks.get(ref) ?? nullRef } : changes(cls, ref);
  const refs = copyObjects(world.store, there.store, objectsThatArrive(world.store, vms), disks, newRef, plugged);
  const moved = refs.get(vm) ?? nullRef;
  const over = { ...call, world: there };
  const isRunning = world.store.get('VM', vm).power_state === 'Running';
  const operation = { cls: 'VM', ref: moved, name: 'import', id: call.operationId, signal } as const;
  const arrive = () =>
    there.operations.run({ ...operation, check: () => undefined }, call.cancel, async () => {
      if (isRunning) await sendMemory(call, vm, { world: there, host });
      else await world.latency.spend('migrate', signal);
      if (isRunning) comeAlive(world, crossing, refs);
      if (!copy) leave(world, crossing);
    });
  try {
    await (isRunning ? withRoomOn(over, moved, host, 'vm_migrate', arrive) : arrive());
  } catch (error) {
    withdraw(crossing, refs);
    throw error;
  }
  for (const pool of [world, there]) refreshPlan(pool);
  if (isRunning) postMessage(there, 'VM_MIGRATED', moved, `migrated${whereabouts(there, moved)}`);
  return moved;
}
