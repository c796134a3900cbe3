import type { World } from '../world/world.ts';
import { assertCanBootHere, neededMemoryBytes, neighboursOn, refusalOf } from './boot-checks.ts';
import { guestsOn } from './host-support.ts';
import { freeMemoryBytes } from './memory.ts';
import { compareHosts } from './versions.ts';
import { assertVmCan, busyWith } from './vm-support.ts';

/** What becomes of a VM: the host that it goes to, or why it cannot go. */
export type Fate = { readonly to: string } | { readonly error: readonly string[] };

/** The other enabled hosts; while the pool is between two releases none that is older. */
const targetsOf = (world: World, host: string): string[] =>
  world.store
    .refs('host')
    .filter((other) => other !== host && world.store.get('host', other).enabled)
    .filter((other) => compareHosts(world, other, host) >= 0);

/** With HA on, only VMs that it would restart are moved: emptying a host has to look like losing it. */
function isUnprotected(world: World, vm: string): boolean {
  const { ha_enabled: haEnabled } = world.store.get('pool', world.pool.ref);
  return haEnabled && world.store.get('VM', vm).ha_restart_priority !== 'restart';
}

/** Why the VM stays, memory aside. It must be able to run on every target: one that lacks its storage is a reason. */
function obstacle(world: World, vm: string, targets: readonly string[]): readonly string[] | undefined {
  const unable = refusalOf(() => assertVmCan(world, vm, { name: 'pool_migrate', states: ['Running'] }));
  if (unable !== undefined) return unable;
  const busy = busyWith(world, vm);
  if (busy !== undefined) return busy;
  if (isUnprotected(world, vm)) return ['HOST_EVACUATE_VM_NOT_HA_PROTECTED', vm];
  return targets
    .map((host) => refusalOf(() => assertCanBootHere(world, vm, host, { memory: false })))
    .find((reason) => reason !== undefined);
}

/** The largest VM first, each to the host with the fewest that it keeps apart from, then the most free memory. */
function pack(world: World, vms: readonly string[], targets: readonly string[]): Map<string, string> {
  const free = new Map(targets.map((host) => [host, freeMemoryBytes(world, host)]));
  const placed = new Map<string, string>();
  const needs = vms.map((vm) => ({ vm, bytes: neededMemoryBytes(world, vm) })).sort((a, b) => b.bytes - a.bytes);
  for (const { vm, bytes } of needs) {
    const [best] = [...free]
      .filter(([, freeBytes]) => freeBytes >= bytes)
      .map(([host, freeBytes]) => ({ host, freeBytes, neighbours: neighboursOn(world, vm, host, placed) }))
      .sort((a, b) => a.neighbours - b.neighbours || b.freeBytes - a.freeBytes);
    if (best === undefined) continue;
    free.set(best.host, best.freeBytes - bytes);
    placed.set(vm, best.host);
  }
  return placed;
}

/** For each guest on the host where it goes, or the official error that keeps it, in the form of get_vms_which_prevent_evacuation. */
export function evacuationPlan(world: World, host: string): Map<string, Fate> {
  const [vms, targets] = [guestsOn(world, host), targetsOf(world, host)];
  if (targets.length === 0) return new Map(vms.map((vm) => [vm, { error: ['NO_HOSTS_AVAILABLE', vm] }]));
  const obstacles = new Map(vms.map((vm) => [vm, obstacle(world, vm, targets)]));
  const movable = vms.filter((vm) => obstacles.get(vm) === undefined);
  const placed = pack(world, movable, targets);
  return new Map(
    vms.map((vm): [string, Fate] => {
      const [error, to] = [obstacles.get(vm), placed.get(vm)];
      if (error !== undefined) return [vm, { error }];
      return [vm, to === undefined ? { error: ['HOST_NOT_ENOUGH_FREE_MEMORY', vm] } : { to }];
    }),
  );
}
