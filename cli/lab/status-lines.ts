import type { LabStatus } from './lab-control.ts';

/** Rows under each other; the first is the head. Ends with a line break. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
}

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
  return `${facts}\n${faults}\n${table([['POOL', 'ADDRESS', 'USER', 'HOSTS', 'VMS'], ...rows])}`;
}
