import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 50;
/** Not a timing that is asserted: only the end of all patience, so that a hanging test says what it waited for. */
const PATIENCE_MS = 50_000;

/** Asks until the answer is as wanted; fails with the last answer when patience ends. */
export async function eventually<T>(ask: () => Promise<T>, wanted: (answer: T) => boolean, what: string): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}; last seen: ${JSON.stringify(answer)}`);
    await sleep(PAUSE_MS);
  }
}
