import type { ServerResponse } from 'node:http';
import type { RunRow } from '../adapters/postgres/rows.ts';
import { isEnded } from '../domain/run.ts';
import type { ApiDeps } from './context.ts';
import { existingRun } from './existing-run.ts';

interface Wanted {
  /** Seconds. */
  readonly wait: number;
  /** The `seq` that the client knows; without it the client waits for the end. */
  readonly after?: number;
}

/** A wake-up can be lost with its connection: nobody waits longer than this without a look. */
const LOOK_AGAIN_MS = 15_000;

/**
 * The run as soon as there is news of it, or as it is when the time is over, the client has gone or the API stops.
 * Costs no polling: the process is woken by PostgreSQL. Throws NOT_FOUND and STORE_UNAVAILABLE.
 */
export async function untilNews(deps: ApiDeps, id: string, wanted: Wanted, response: ServerResponse): Promise<RunRow> {
  const deadline = performance.now() + wanted.wait * 1_000;
  const latch = deps.wakes.watch(id);
  const onClose = () => latch.raise();
  response.on('close', onClose);
  try {
    for (;;) {
      const run = await existingRun(deps, id);
      const leftMs = deadline - performance.now();
      if (isNews(run, wanted.after) || leftMs <= 0 || response.destroyed || deps.wakes.closed) return run;
      await latch.next(Math.min(leftMs, LOOK_AGAIN_MS));
    }
  } finally {
    deps.wakes.unwatch(latch);
    response.off('close', onClose);
  }
}

function isNews(run: RunRow, after: number | undefined): boolean {
  if (isEnded(run.state)) return true;
  return after === undefined ? run.state === 'needs-operator' : run.seq > after;
}
