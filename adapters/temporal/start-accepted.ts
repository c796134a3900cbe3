import { OperationFailure } from '../../domain/errors.ts';
import type { Timing } from '../../domain/run.ts';
import type { RunRow, RunStore } from '../postgres/run-store.ts';
import type { Engine } from './engine.ts';

/**
 * Starts the workflow of an accepted run. When its object belongs to another run the row is closed with the reason,
 * so that it is not tried for ever, and RUN_CONFLICT is thrown. ENGINE_UNAVAILABLE leaves the row as it is.
 */
export async function startAccepted(
  store: RunStore,
  engine: Engine,
  run: RunRow,
  timing: Timing,
): Promise<'started' | 'already-started'> {
  try {
    return await engine.start(run, timing);
  } catch (error) {
    if (error instanceof OperationFailure && error.code === 'RUN_CONFLICT') {
      await store.close(run.id, { state: 'failed', failure: error.toFailure(), skips: [] });
    }
    throw error;
  }
}
