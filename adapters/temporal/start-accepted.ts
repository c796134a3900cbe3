import { setTimeout as sleep } from 'node:timers/promises';
import { OperationFailure } from '../../domain/errors.ts';
import { isEnded } from '../../domain/run.ts';
import type { Timing } from '../../domain/run.ts';
import type { RunRow } from '../postgres/rows.ts';
import type { RunStore } from '../postgres/run-store.ts';
import type { Engine } from './engine.ts';

type Started = 'started' | 'already-started';

/** The row of a run ends a moment before its workflow closes: so long its successor waits for the workflow id. */
const CLOSING_PATIENCE_MS = 5_000;
const CLOSING_PAUSE_MS = 100;

/**
 * Starts the workflow of an accepted run. When its object belongs to another run the row is closed with the reason,
 * so that it is not tried for ever, and RUN_CONFLICT is thrown. ENGINE_UNAVAILABLE leaves the row as it is.
 */
export async function startAccepted(store: RunStore, engine: Engine, run: RunRow, timing: Timing): Promise<Started> {
  try {
    return await startAfterClosing(store, engine, run, timing);
  } catch (error) {
    if (isConflict(error)) await store.close(run.id, { state: 'failed', failure: error.toFailure(), skips: [] });
    throw error;
  }
}

async function startAfterClosing(store: RunStore, engine: Engine, run: RunRow, timing: Timing): Promise<Started> {
  const deadline = Date.now() + CLOSING_PATIENCE_MS;
  for (;;) {
    try {
      return await engine.start(run, timing);
    } catch (error) {
      if (Date.now() > deadline || !isConflict(error) || !(await hasEnded(store, error.details.ownerRunId)))
        throw error;
    }
    await sleep(CLOSING_PAUSE_MS);
  }
}

async function hasEnded(store: RunStore, runId: string | undefined): Promise<boolean> {
  const owner = runId === undefined ? undefined : await store.get(runId);
  return owner !== undefined && isEnded(owner.state);
}

function isConflict(error: unknown): error is OperationFailure {
  return error instanceof OperationFailure && error.code === 'RUN_CONFLICT';
}
