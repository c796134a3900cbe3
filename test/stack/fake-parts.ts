import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Part } from '../../bin/stack/part.ts';
import type { RestartPolicy } from '../../bin/stack/part-keeper.ts';

/** Restarts at once, and gives up at the third death. */
export const impatient: RestartPolicy = {
  firstPauseMs: 1,
  longestPauseMs: 4,
  quickDeathMs: 60_000,
  quickDeathLimit: 3,
};

/** A part that writes into the folder's journal when it is up and when it is asked to end. */
export const obedient = `
import { appendFileSync } from 'node:fs';
const note = (word) => appendFileSync(process.env.JOURNAL, word + ' ' + process.env.PART + '\\n');
process.on('SIGTERM', () => { note('down'); process.exit(0); });
setInterval(() => {}, 1000);
note('up');
console.log('a line for the log');
console.log(JSON.stringify({ ready: true, pid: process.pid, secret: 'not for the log' }));
`;

/** @param folder where the script and the journal go */
export function fakePart(folder: string, name: string, script: string = obedient): Part {
  const program = join(folder, `${name}.mjs`);
  writeFileSync(program, script);
  return {
    name,
    command: process.execPath,
    args: [program],
    env: { JOURNAL: join(folder, 'journal'), PART: name },
    readyLimitMs: 30_000,
    stopSignal: 'SIGTERM',
    stopLimitMs: 10_000,
  };
}

export function journal(folder: string): string[] {
  return readFileSync(join(folder, 'journal'), 'utf8').trim().split('\n');
}

/** Waits for what comes about by itself; the test's own limit ends the wait when it never does. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await delay(20);
}
