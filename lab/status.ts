import type { Lab } from './lab.ts';
import type { LabPool } from './pools.ts';
import type { World } from './world/world.ts';

export interface PoolStatus extends Omit<LabPool, 'password'> {
  readonly hosts: number;
  readonly liveHosts: number;
  /** Without templates, snapshots and control domains. */
  readonly vms: number;
  readonly runningVms: number;
}

/** A lab at one moment, for whoever rehearses in it. */
export interface LabStatus {
  readonly pid: number;
  readonly speed: number;
  readonly calls: number;
  readonly faultsPlanned: number;
  /** How often any of them happened. */
  readonly faultsFired: number;
  readonly pools: readonly PoolStatus[];
}

function statusOfPool({ password: _secret, ...pool }: LabPool, { store }: World): PoolStatus {
  const hosts = store.records('host').map(([, host]) => host);
  const vms = store.records('VM').map(([, vm]) => vm);
  const own = vms.filter((vm) => !vm.is_a_template && !vm.is_a_snapshot && !vm.is_control_domain);
  return {
    ...pool,
    hosts: hosts.length,
    liveHosts: hosts.filter(({ metrics }) => store.find('host_metrics', metrics)?.live === true).length,
    vms: own.length,
    runningVms: own.filter((vm) => vm.power_state === 'Running').length,
  };
}

export function statusOf(lab: Lab): LabStatus {
  const faults = lab.faults.list();
  return {
    pid: process.pid,
    speed: lab.speed,
    calls: lab.callCount,
    faultsPlanned: faults.length,
    faultsFired: faults.reduce((sum, { fired }) => sum + fired, 0),
    pools: lab.worlds.flatMap((world) => {
      const pool = lab.pools.find(({ id }) => id === world.id);
      return pool === undefined ? [] : [statusOfPool(pool, world)];
    }),
  };
}
