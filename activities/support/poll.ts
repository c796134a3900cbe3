import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/**
 * Asks until there is an answer or the deadline (ms since 1970) has passed; then undefined. At least one question is
 * asked. Aborting ends the waiting with the signal's reason.
 */
export async function poll<T>(
  deadlineMs: number,
  signal: AbortSignal,
  ask: () => Promise<T | undefined>,
): Promise<T | undefined> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
    signal.throwIfAborted();
    const answer = await ask();
    const leftMs = deadlineMs - Date.now();
    if (answer !== undefined || leftMs <= 0) return answer;
    await sleep(Math.min(pauseMs, leftMs), undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}
