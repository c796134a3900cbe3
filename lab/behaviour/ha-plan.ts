import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { assertCanBootHere, pcisFor, refusalOf } from './boot-checks.ts';
import { freeMemoryBytes } from './memory.ts';
import { vdisOf } from './vm-support.ts';

/** A state of the pool as the planner sees it: free bytes by usable host, and on which of them the VMs are. */
interface Ground {
  readonly free: ReadonlyMap<string, number>;
  readonly placed: ReadonlyMap<string, string>;
}

/** What is about to happen: hosts leave, or a VM comes to a host that nobody promised to keep running. */
export interface PlanChange {
  readonly without?: readonly string[];
  readonly arriving?: { readonly vm: string; readonly host: string };
}

export const haIsOn = (world: World): boolean => world.store.get('pool', world.pool.ref).ha_enabled;

/** Throws HA_IS_ENABLED. */
export function assertHaOff(world: World): void {
  if (haIsOn(world)) throw new XapiError('HA_IS_ENABLED');
}

/** The VMs that the pool promises to keep running. */
export function protectedVms(world: World): string[] {
  return world.store
    .records('VM')
    .filter(([, vm]) => vm.ha_always_run && vm.ha_restart_priority === 'restart' && !vm.is_a_template)
    .map(([ref]) => ref);
}

/** Throws what ties the VM to some of the pool's hosts. */
export function assertAgile(world: World, vm: string): void {
  for (const { vdi } of vdisOf(world, vm)) {
    const { SR: sr } = world.store.get('VDI', vdi);
    if (!world.store.get('SR', sr).shared) throw new XapiError('HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED', sr);
  }
  const hosts = world.store.refs('host');
  for (const vif of world.store.get('VM', vm).VIFs) {
    const { network } = world.store.get('VIF', vif);
    const pifs = world.store.get('network', network).PIFs.map((pif) => world.store.get('PIF', pif));
    const reached = hosts.filter((host) => pifs.some((pif) => pif.host === host && pif.currently_attached));
    if (pifs.length > 0 && reached.length < hosts.length)
      throw new XapiError('HA_CONSTRAINT_VIOLATION_NETWORK_NOT_SHARED', network);
  }
  if (hosts.some((host) => pcisFor(world, vm, host).length > 0)) throw new XapiError('VM_HAS_PCI_ATTACHED', vm);
}

const isAgile = (world: World, vm: string): boolean => refusalOf(() => assertAgile(world, vm)) === undefined;

function isUsable(world: World, host: string): boolean {
  const { enabled, metrics } = world.store.get('host', host);
  return enabled && world.store.get('host_metrics', metrics).live;
}

/** What a VM takes when it is started. */
function restartBytes(world: World, vm: string): number {
  const { memory_static_max: memoryBytes, memory_overhead: overheadBytes } = world.store.get('VM', vm);
  return memoryBytes + overheadBytes;
}

/** The largest VM first, each to the host with the most room; what fits nowhere is left out. */
function place(world: World, ground: Ground, vms: readonly string[]): Ground {
  const free = new Map(ground.free);
  const placed = new Map(ground.placed);
  const needs = vms.map((vm) => ({ vm, bytes: restartBytes(world, vm) })).sort((a, b) => b.bytes - a.bytes);
  for (const { vm, bytes } of needs) {
    const [best] = [...free]
      .filter(([, freeBytes]) => freeBytes >= bytes)
      .sort(([, a], [, b]) => b - a)
      .filter(([host]) => refusalOf(() => assertCanBootHere(world, vm, host, { memory: false })) === undefined);
    if (best === undefined) continue;
    free.set(best[0], best[1] - bytes);
    placed.set(vm, best[0]);
  }
  return { free, placed };
}

/** The pool of now, with the change; VMs that run nowhere are given a place if there is one. */
function groundOf(world: World, vms: readonly string[], { without = [], arriving }: PlanChange): Ground {
  const hosts = world.store.refs('host').filter((host) => !without.includes(host) && isUsable(world, host));
  const free = new Map(hosts.map((host) => [host, freeMemoryBytes(world, host)]));
  const placed = new Map<string, string>();
  if (arriving !== undefined && free.has(arriving.host)) {
    free.set(arriving.host, (free.get(arriving.host) ?? 0) - restartBytes(world, arriving.vm));
  }
  for (const vm of vms) {
    const { resident_on: home, scheduled_to_be_resident_on: destination } = world.store.get('VM', vm);
    const host = home === nullRef ? destination : home;
    if (free.has(host)) placed.set(vm, host);
  }
  return place(
    world,
    { free, placed },
    vms.filter((vm) => !placed.has(vm)),
  );
}

/** The VMs of the host, restarted on the others. */
function lose(world: World, { free, placed }: Ground, host: string): Ground {
  const rest = {
    free: new Map([...free].filter(([other]) => other !== host)),
    placed: new Map([...placed].filter(([, home]) => home !== host)),
  };
  return place(
    world,
    rest,
    [...placed].filter(([, home]) => home === host).map(([vm]) => vm),
  );
}

/**
 * Hosts fail one after the other; each time any of them may, and what comes next is looked at for the one that carries most.
 * Somebody has to be left.
 */
function survives(world: World, ground: Ground, failures: number): boolean {
  if (failures <= 0) return true;
  const loadOf = (host: string): number =>
    [...ground.placed].filter(([, home]) => home === host).reduce((bytes, [vm]) => bytes + restartBytes(world, vm), 0);
  const hosts = [...ground.free.keys()].map((host) => ({ host, load: loadOf(host) })).sort((a, b) => b.load - a.load);
  if (hosts.length < 2) return false;
  const [worst, ...others] = hosts.map(({ host }) => lose(world, ground, host));
  const all = [worst, ...others].every((after) => after?.placed.size === ground.placed.size);
  return all && worst !== undefined && survives(world, worst, failures - 1);
}

/** Whether all of the VMs could be kept running through so many host failures, after the change if one is given. */
function planExists(world: World, vms: readonly string[], failures: number, change: PlanChange = {}): boolean {
  const ground = groundOf(world, vms, change);
  return vms.every((vm) => ground.placed.has(vm)) && survives(world, ground, failures);
}

/** Whether so many host failures would leave every protected VM running; a VM that is tied to a host rules it out. */
export function planExistsFor(world: World, failures: number, vms: readonly string[] = protectedVms(world)): boolean {
  return vms.every((vm) => isAgile(world, vm)) && planExists(world, vms, failures);
}

/** How many host failures the VMs would come through. */
export function maxFailures(world: World, vms: readonly string[] = protectedVms(world)): number {
  let failures = 0;
  while (planExistsFor(world, failures + 1, vms)) failures++;
  return failures;
}

/** Writes what the pool says of its plan. */
export function refreshPlan(world: World): void {
  if (!haIsOn(world)) return;
  const { ref } = world.pool;
  const { ha_host_failures_to_tolerate: wanted } = world.store.get('pool', ref);
  const isKept = planExistsFor(world, wanted);
  const planned = isKept ? wanted : Math.min(wanted, maxFailures(world));
  world.store.update('pool', ref, { ha_plan_exists_for: planned, ha_overcommitted: !isKept });
}

/** Throws HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN. A pool that is overcommitted already has no plan to break. */
export function assertPlanKept(world: World, change: PlanChange, more: readonly string[] = []): void {
  const pool = world.store.get('pool', world.pool.ref);
  if (!pool.ha_enabled || pool.ha_allow_overcommit || pool.ha_overcommitted) return;
  const vms = [...new Set([...protectedVms(world), ...more])].filter((vm) => isAgile(world, vm));
  if (planExists(world, vms, pool.ha_host_failures_to_tolerate, change)) return;
  throw new XapiError('HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN');
}

/** Throws HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN where a VM that the pool promises to keep running cannot do without. */
export function assertNotPromised(world: World, isNeededBy: (vm: string) => boolean): void {
  const { ha_allow_overcommit: mayOvercommit } = world.store.get('pool', world.pool.ref);
  if (haIsOn(world) && !mayOvercommit && protectedVms(world).some(isNeededBy))
    throw new XapiError('HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN');
}

/** Throws HA_IS_ENABLED for a disk that high availability itself is using. */
export function assertNotForHa(world: World, vdi: string): void {
  if (['ha_statefile', 'redo_log'].includes(world.store.get('VDI', vdi).type)) assertHaOff(world);
}

/** Throws what keeps the pool from promising to keep one more VM running. */
export function assertCanProtect(world: World, vm: string): void {
  const { ha_enabled: isOn, ha_allow_overcommit: mayOvercommit } = world.store.get('pool', world.pool.ref);
  if (!isOn || mayOvercommit) return;
  assertAgile(world, vm);
  assertPlanKept(world, {}, [vm]);
}

/** Before a VM comes to a host. One that is promised already has its place in the plan. */
export function assertPlanAllowsStart(world: World, vm: string, host: string): void {
  const { ha_always_run: isPromised, ha_restart_priority: priority } = world.store.get('VM', vm);
  if (isPromised) return;
  if (priority === 'restart') assertCanProtect(world, vm);
  else assertPlanKept(world, { arriving: { vm, host } });
}

/** What became of a VM by the users' will: HA keeps it as it is now. */
export function promise(world: World, vm: string, isToRun: boolean): void {
  const { ha_restart_priority: priority, ha_always_run: before } = world.store.get('VM', vm);
  const isPromised = isToRun && priority === 'restart';
  if (isPromised !== before) world.store.update('VM', vm, { ha_always_run: isPromised });
  refreshPlan(world);
}

/** Where each of the VMs would restart if the hosts failed, or the error code that keeps it down. */
export function failoverPlan(
  world: World,
  hosts: readonly string[],
  vms: readonly string[],
): Record<string, Record<string, string>> {
  const ground = groundOf(world, [], { without: hosts });
  const { placed } = place(
    world,
    ground,
    vms.filter((vm) => isAgile(world, vm)),
  );
  const shortage = ground.free.size === 0 ? 'HA_NO_PLAN' : 'HOST_NOT_ENOUGH_FREE_MEMORY';
  return Object.fromEntries(
    vms.map((vm): [string, Record<string, string>] => {
      const [host, tie] = [placed.get(vm), refusalOf(() => assertAgile(world, vm))];
      return [vm, host === undefined ? { error_code: tie?.[0] ?? shortage } : { host }];
    }),
  );
}
