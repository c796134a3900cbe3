import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from './trouble.ts';

/** A pid is given to another process sooner or later; together with the moment of its start it names one process. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string;
}

/** @returns undefined when there is no such process, or only its unreaped remains */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const startedAt = process.platform === 'linux' ? startOnLinux(pid) : startByPs(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

export function isRunning(identity: ProcessIdentity): boolean {
  return identityOf(identity.pid)?.startedAt === identity.startedAt;
}

/**
 * Field 22 of /proc/PID/stat is the start in clock ticks since boot (proc_pid_stat(5)); the boot id makes it unique
 * across restarts of the machine. The second field, the name in brackets, may itself hold spaces and brackets.
 */
function startOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || state === 'X') return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${fields[18]}`;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return undefined;
    throw error;
  }
}

function startByPs(pid: number): string | undefined {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    // ps ends with 1 when there is no such process
    return undefined;
  }
}

/**
 * Ends a process group: the signal first, SIGKILL to what is still there after the limit.
 * @returns whether SIGKILL was needed
 */
export async function endGroup(groupId: number, signal: NodeJS.Signals, limitMs: number): Promise<boolean> {
  if (!signalGroup(groupId, signal)) return false;
  if (await groupGone(groupId, limitMs)) return false;
  signalGroup(groupId, 'SIGKILL');
  await groupGone(groupId, 5_000);
  return true;
}

/** @returns whether anybody was there to get it */
function signalGroup(groupId: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-groupId, signal);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
    throw error;
  }
}

async function groupGone(groupId: number, limitMs: number): Promise<boolean> {
  const endMs = performance.now() + limitMs;
  while (signalGroup(groupId, 0)) {
    if (performance.now() > endMs) return false;
    await delay(25);
  }
  return true;
}
