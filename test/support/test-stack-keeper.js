/**
 * Clears away the test stack, however the test run ends. It is started in a session of its own and reads standard input:
 * the end of it means that the run has ended, by itself or killed. Then it ends the servers that are still there (their
 * pids are in the state folder) and removes the folder with all databases.
 *
 * Arguments: the state folder.
 */
import { once } from 'node:events';
import { lstatSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const stateDir = process.argv[2] ?? '';

/**
 * @param {number} groupId
 * @param {NodeJS.Signals | 0} signal
 */
function signalGroup(groupId, signal) {
  try {
    process.kill(-groupId, signal);
    return true;
  } catch {
    return false; // already gone
  }
}

await once(process.stdin.resume(), 'end');

const pids = readdirSync(join(stateDir, 'pids')).map(
  (name) => JSON.parse(readFileSync(join(stateDir, 'pids', name), 'utf8')).pid,
);
for (const pid of pids) signalGroup(pid, 'SIGINT');
for (let tries = 0; tries < 100 && pids.some((pid) => signalGroup(pid, 0)); tries += 1) await delay(100);
for (const pid of pids) signalGroup(pid, 'SIGKILL');

const database = join(stateDir, 'postgres');
if (lstatSync(database, { throwIfNoEntry: false })?.isSymbolicLink()) {
  rmSync(readlinkSync(database), { recursive: true, force: true, maxRetries: 20 });
}
rmSync(stateDir, { recursive: true, force: true, maxRetries: 20 });
