import { readFileSync } from 'node:fs';

/** A pid is given to another process sooner or later; together with the moment of its start it names one process. */
export interface Owner {
  readonly pid: number;
  readonly startedAt: string;
}

/** Undefined when there is no such process, or only its unreaped remains. */
export function ownerOf(pid: number): Owner | undefined {
  const stat = readStat(pid);
  if (stat === undefined) return undefined;
  // proc_pid_stat(5): the name in brackets may itself hold spaces and brackets; field 22 is the start in ticks since boot.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return undefined;
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return { pid, startedAt: `${bootId}:${fields[18]}` };
}

export function isAlive(owner: Owner): boolean {
  return ownerOf(owner.pid)?.startedAt === owner.startedAt;
}

function readStat(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    // No such process, or it ended while it was read: gone either way.
    return undefined;
  }
}
