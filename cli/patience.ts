import { setTimeout as delay } from 'node:timers/promises';
import type { Io } from './io.ts';
import { CliFailure, EXIT } from './io.ts';

const AGAIN_AFTER_MS = 500;
/** A server that is being restarted is worth waiting for: runs do not need it. */
const PATIENCE_MS = 60_000;

/** Asks until there is an answer; says once that it waits. Throws the last refusal when patience is over, or at Ctrl-C. */
export async function patiently<T>(io: Pick<Io, 'err'>, signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  const sinceMs = Date.now();
  for (let told = false; ; told = true) {
    try {
      return await ask();
    } catch (error) {
      if (!isAway(error) || signal.aborted || Date.now() - sinceMs > PATIENCE_MS) throw error;
      if (!told) io.err(`The server does not answer; runs go on without it. Waiting for it.\n`);
    }
    await pause(signal);
  }
}

/** Between two attempts; Ctrl-C ends it early. */
export async function pause(signal: AbortSignal): Promise<void> {
  await delay(AGAIN_AFTER_MS, undefined, { signal }).catch(() => undefined);
}

function isAway(error: unknown): boolean {
  return error instanceof CliFailure && error.exitCode === EXIT.unreachable;
}
