import type { Handlers } from '../dispatch/call.ts';
import type { World } from '../world/world.ts';
import { XapiError, handleInvalid } from '../xapi-error.ts';
import { refusalOf } from './boot-checks.ts';
import { restartVms } from './ha-failover.ts';
import {
  assertAgile,
  assertHaOff,
  assertCanProtect,
  failoverPlan,
  haIsOn,
  maxFailures,
  planExistsFor,
  promise,
  refreshPlan,
} from './ha-plan.ts';
import { disarm, statefileIsLost } from './ha-statefile.ts';
import { restartToolstackLater } from './host-lifecycle.ts';
import { createVdi } from './vdi.ts';

const priorities: readonly string[] = ['restart', 'best-effort', ''];
/** One sector for the pool and one for each of 64 hosts, of 4 KiB. */
const statefileBytes = 65 * 4096;

function assertPriority(priority: string): void {
  if (!priorities.includes(priority)) throw new XapiError('INVALID_VALUE', 'ha_restart_priority', priority);
}

function assertNatural(name: string, value: number): void {
  if (value < 0) throw new XapiError('INVALID_VALUE', name, String(value));
}

/** Throws SR_HAS_NO_PBDS unless every host sees the SR, HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED unless it is one for all. */
function assertCanHostStatefile(world: World, sr: string): void {
  const { PBDs: refs, shared } = world.store.get('SR', sr);
  if (!shared) throw new XapiError('HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED', sr);
  const plugged = refs.map((ref) => world.store.get('PBD', ref)).filter((pbd) => pbd.currently_attached);
  const hosts = new Set(plugged.map(({ host }) => host));
  if (hosts.size < world.store.refs('host').length) throw new XapiError('SR_HAS_NO_PBDS', sr);
}

function statefileOn(world: World, sr: string): string {
  const found = world.store.get('SR', sr).VDIs.find((vdi) => world.store.get('VDI', vdi).type === 'ha_statefile');
  if (found !== undefined) return found;
  const texts = { name_label: 'Statefile for HA', name_description: 'Used for storage heartbeating' };
  return createVdi(world, { ...texts, SR: sr, virtual_size: statefileBytes, type: 'ha_statefile', sharable: true });
}

/** The SR for the storage heartbeat. Throws CANNOT_CREATE_STATE_FILE when none is named and none would do. */
function heartbeatSr(world: World, named: readonly string[]): string {
  for (const sr of named) {
    if (world.store.find('SR', sr) === undefined) throw handleInvalid('SR', sr);
    assertCanHostStatefile(world, sr);
  }
  const [first] =
    named.length > 0
      ? named
      : world.store.refs('SR').filter((sr) => refusalOf(() => assertCanHostStatefile(world, sr)) === undefined);
  if (first === undefined) throw new XapiError('CANNOT_CREATE_STATE_FILE');
  return first;
}

function assertAllLive(world: World): void {
  for (const [host, { metrics }] of world.store.records('host')) {
    if (!world.store.get('host_metrics', metrics).live) throw new XapiError('HOST_OFFLINE', host);
  }
}

function enable(world: World, heartbeatSrs: readonly string[], configuration: Readonly<Record<string, string>>): void {
  assertHaOff(world);
  const hosts = world.store.records('host');
  if (hosts.length < 2) throw new XapiError('HA_TOO_FEW_HOSTS');
  assertAllLive(world);
  if (statefileIsLost(world)) throw new XapiError('HA_HOST_CANNOT_ACCESS_STATEFILE');
  const statefiles = [statefileOn(world, heartbeatSr(world, heartbeatSrs))];
  const peers = hosts.map(([, { uuid }]) => uuid);
  for (const [host] of hosts) {
    world.machines.of(host).disarmed = undefined;
    world.store.update('host', host, { ha_statefiles: statefiles, ha_network_peers: peers });
  }
  world.store.update('pool', world.pool.ref, {
    ha_enabled: true,
    ha_statefiles: statefiles,
    ha_configuration: configuration,
    ha_cluster_stack: 'xhad',
  });
  refreshPlan(world);
}

function assertOn(world: World): void {
  if (!haIsOn(world)) throw new XapiError('HA_NOT_ENABLED');
}

/** The disk with the state file stays for the next time. */
function disable(world: World): void {
  assertOn(world);
  world.restartHold.hold(0);
  for (const host of world.store.refs('host'))
    world.store.update('host', host, { ha_statefiles: [], ha_network_peers: [] });
  world.store.update('pool', world.pool.ref, {
    ha_enabled: false,
    ha_statefiles: [],
    ha_plan_exists_for: 0,
    ha_overcommitted: false,
  });
}

/** A pool with a plan does not give it up; one without may be told anything. */
function tolerate(world: World, pool: string, failures: number): void {
  assertNatural('ha_host_failures_to_tolerate', failures);
  const { ha_plan_exists_for: planned, ha_allow_overcommit: mayOvercommit } = world.store.get('pool', pool);
  if (planned > 0 && !mayOvercommit && !planExistsFor(world, failures))
    throw new XapiError('HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN');
  world.store.update('pool', pool, { ha_host_failures_to_tolerate: failures });
  refreshPlan(world);
}

/** From this moment on a running VM is, or is no longer, kept running. */
function setPriority(world: World, vm: string, priority: string): void {
  assertPriority(priority);
  const { ha_restart_priority: before, power_state: state } = world.store.get('VM', vm);
  if (before !== 'restart' && priority === 'restart' && state !== 'Halted') assertCanProtect(world, vm);
  world.store.update('VM', vm, { ha_restart_priority: priority });
  promise(world, vm, state === 'Running');
}

/** The most host failures that the VMs would come through with these priorities. */
function hypotheticalMax(world: World, priorityOf: Readonly<Record<string, string>>): number {
  for (const [vm, priority] of Object.entries(priorityOf)) {
    if (world.store.find('VM', vm) === undefined) throw handleInvalid('VM', vm);
    assertPriority(priority);
  }
  return maxFailures(
    world,
    Object.keys(priorityOf).filter((vm) => priorityOf[vm] === 'restart'),
  );
}

/** High availability: what the pool promises, and how it sees to it that it can keep it. */
export const haBehaviour: Handlers = {
  'pool.enable_ha': ({ world }, srs, configuration) => enable(world, srs, configuration),
  'pool.disable_ha': ({ world }) => disable(world),
  'pool.set_ha_host_failures_to_tolerate': ({ world }, pool, failures) => tolerate(world, pool, failures),
  'pool.ha_compute_max_host_failures_to_tolerate': ({ world }) => maxFailures(world),
  'pool.ha_compute_hypothetical_max_host_failures_to_tolerate': ({ world }, priorityOf) =>
    hypotheticalMax(world, priorityOf),
  'pool.ha_failover_plan_exists': ({ world }, failures) => planExistsFor(world, failures),
  'pool.ha_compute_vm_failover_plan': ({ world }, hosts, vms) => failoverPlan(world, hosts, vms),
  'pool.ha_prevent_restarts_for': ({ world }, seconds) => {
    assertOn(world);
    world.restartHold.hold(seconds);
  },
  'host.emergency_ha_disable': ({ world, host }, soft = false) => {
    disarm(world, host, soft);
    if (world.machines.of(host).toolstack === 'emergency') restartToolstackLater(world, host, 'agentStopDelay');
  },
  'SR.assert_can_host_ha_statefile': ({ world }, sr) => assertCanHostStatefile(world, sr),
  'VM.assert_agile': ({ world }, vm) => assertAgile(world, vm),
  'VM.set_ha_restart_priority': ({ world }, vm, priority) => setPriority(world, vm, priority),
  'VM.set_ha_always_run': ({ world }, vm, isToRun) => {
    if (isToRun) assertCanProtect(world, vm);
    world.store.update('VM', vm, { ha_always_run: isToRun });
    refreshPlan(world);
    // What is promised and does not run is started.
    world.machines.run(() => restartVms(world, []));
  },
  'VM.set_order': ({ world }, vm, order) => {
    assertNatural('order', order);
    world.store.update('VM', vm, { order });
  },
  'VM.set_start_delay': ({ world }, vm, seconds) => {
    assertNatural('start_delay', seconds);
    world.store.update('VM', vm, { start_delay: seconds });
  },
  'VM.set_shutdown_delay': ({ world }, vm, seconds) => {
    assertNatural('shutdown_delay', seconds);
    world.store.update('VM', vm, { shutdown_delay: seconds });
  },
};
