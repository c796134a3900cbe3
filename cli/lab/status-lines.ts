import { table } from '../table.ts';
import type { LabStatus } from './lab-control.ts';

export function statusLines({ pid, speed, calls, faultsPlanned, faultsFired, pools }: LabStatus): string {
  const rows = pools.map((pool) => [
    pool.id,
    pool.url,
    pool.user,
    pool.liveHosts === pool.hosts ? String(pool.hosts) : `${pool.liveHosts} of ${pool.hosts} live`,
    `${pool.vms}, ${pool.runningVms} running`,
  ]);
  const facts = `Process ${pid}, ${speed} times faster than life; ${calls} calls so far.`;
  const faults = `${faultsPlanned} faults are planned, they happened ${faultsFired} times.`;
  return `${facts}\n${faults}\n${table(['POOL', 'ADDRESS', 'USER', 'HOSTS', 'VMS'], rows)}`;
}
