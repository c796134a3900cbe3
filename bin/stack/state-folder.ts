import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { StackTrouble, codeOf } from './trouble.ts';

const markerName = 'switchboard-state';

/**
 * Makes or opens the folder that holds everything one installation keeps: database, Temporal's file, secrets, logs.
 * @param path relative to the working folder, or absolute
 * @returns its absolute path; only its owner can enter it
 * @throws StackTrouble when there is something else at that path
 */
export function openStateFolder(path: string): string {
  const stateDir = resolve(path);
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  if (!existsSync(join(stateDir, markerName))) {
    if (readdirSync(stateDir).length > 0) {
      throw new StackTrouble(
        `The state folder ${stateDir} holds files that are not Switchboard's; nothing in it was changed. ` +
          'Name an empty or a new folder in SWITCHBOARD_STATE_DIR.',
      );
    }
    writeFileSync(join(stateDir, markerName), 'Made by Switchboard; removed as a whole by --fresh.\n');
  }
  chmodSync(stateDir, 0o700);
  for (const name of ['logs', 'pids', 'secrets']) mkdirSync(join(stateDir, name), { recursive: true, mode: 0o700 });
  return stateDir;
}

/** Removes all that an opened state folder holds but its marker and what `keep` names. */
export function emptyStateFolder(stateDir: string, keep: readonly string[]): void {
  for (const name of readdirSync(stateDir)) {
    if (name !== markerName && !keep.includes(name)) rmSync(join(stateDir, name), { recursive: true });
  }
}

/**
 * Reads a secret file, which is made at the first use.
 * @throws StackTrouble when others than its owner can read it
 */
export function ensureSecretFile(path: string, make: () => string): string {
  try {
    writeFileSync(path, `${make()}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  if ((statSync(path).mode & 0o077) !== 0) {
    throw new StackTrouble(
      `The secret file ${path} can be read by others than its owner; nothing was started. ` +
        `Close it with \`chmod 600 ${path}\`, and replace the secret if somebody may have seen it.`,
    );
  }
  return readFileSync(path, 'utf8').trim();
}
