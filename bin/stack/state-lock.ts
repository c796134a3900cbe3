import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { identityOf, isRunning } from './process-identity.ts';
import { StackTrouble, codeOf } from './trouble.ts';

export const lockName = 'supervisor.json';

const holderSchema = z.object({ pid: z.number().int(), startedAt: z.string() });

/**
 * Takes the state folder for this process. The lock of a process that is no longer there is taken over.
 * @returns gives the folder back
 * @throws StackTrouble when another supervisor is at work in it
 */
export function lockStateFolder(stateDir: string): () => void {
  const lock = join(stateDir, lockName);
  const mine = `${lock}.${process.pid}`;
  writeFileSync(mine, JSON.stringify(identityOf(process.pid)));
  try {
    while (!linked(mine, lock)) setStaleLockAside(stateDir, lock);
  } finally {
    rmSync(mine);
  }
  return () => rmSync(lock, { force: true });
}

/** A hard link either is made whole or fails because somebody else holds the lock. */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function setStaleLockAside(stateDir: string, lock: string): void {
  refuseLivingHolder(stateDir, lock);
  const aside = `${lock}.stale-${process.pid}`;
  try {
    renameSync(lock, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  try {
    // Between reading and renaming another supervisor may have taken the folder: then this is its lock.
    refuseLivingHolder(stateDir, aside);
  } catch (error) {
    linked(aside, lock);
    throw error;
  } finally {
    rmSync(aside);
  }
}

function refuseLivingHolder(stateDir: string, file: string): void {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  const holder = holderSchema.safeParse(parseJson(text));
  if (!holder.success || !isRunning(holder.data)) return;
  throw new StackTrouble(
    `The state folder ${stateDir} is in use by another Switchboard (pid ${holder.data.pid}); nothing was started. ` +
      'Stop that one first, or name another folder in SWITCHBOARD_STATE_DIR.',
  );
}

/** @returns undefined when it is no JSON: such a file was cut short by a crash */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
