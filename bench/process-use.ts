import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts the time of processes in hundredths of a second, whatever the clock of the kernel is. */
const MS_PER_TICK = 10;
/** Fields of /proc/PID/stat after the name, which may hold blanks: the state is the first; see proc(5). */
const PARENT = 1;
/** User and kernel. */
const OWN_TICKS = [11, 12];
const ENDED_CHILDREN_TICKS = [13, 14];

/** The most memory that the process ever held in RAM, as the kernel counted it (VmHWM). */
export function peakMiB(pid: number): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}

/** The time on a core that every part of the stack has used so far (ms), its child processes included (PostgreSQL has many). */
export function cpuMsOf(parts: Readonly<Record<string, number>>): Map<string, number> {
  const used = new Map<string, number>();
  for (const [pid, fields] of readdirSync('/proc').flatMap(statOf)) {
    const part = Object.keys(parts).find((name) => parts[name] === pid || parts[name] === Number(fields[PARENT]));
    if (part === undefined) continue;
    const counted = parts[part] === pid ? [...OWN_TICKS, ...ENDED_CHILDREN_TICKS] : OWN_TICKS;
    const ticks = counted.reduce((sum, field) => sum + Number(fields[field]), 0);
    used.set(part, (used.get(part) ?? 0) + ticks * MS_PER_TICK);
  }
  return used;
}

function statOf(entry: string): [pid: number, fields: string[]][] {
  if (!/^\d+$/.test(entry)) return [];
  try {
    const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
    return [[Number(entry), stat.slice(stat.lastIndexOf(')') + 2).split(' ')]];
  } catch {
    // Ended between the listing and the look.
    return [];
  }
}
