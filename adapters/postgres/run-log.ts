import { OperationFailure } from '../../domain/errors.ts';
import type { Failure } from '../../domain/errors.ts';
import { isEnded } from '../../domain/run.ts';
import type { RunOutcome, RunState } from '../../domain/run.ts';
import type { Db } from './database.ts';
import { orStoreUnavailable } from './database.ts';
import { appendAttempt } from './attempt-events.ts';
import type { Attempt } from './attempt-events.ts';
import { appendEvent, lockRun } from './run-events.ts';
import type { NewEvent } from './run-events.ts';

/** The worker's side of the read model: what happened, written as it happens. */
export class RunLog {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Refuses a second execution of the same run, and any work for a run that has ended. */
  async started(attempt: Attempt): Promise<void> {
    await this.#append(attempt, { kind: 'step-started' });
  }

  async failed(attempt: Attempt, failure: Failure): Promise<void> {
    await this.#append(attempt, { kind: 'attempt-failed', failure });
  }

  async done(attempt: Attempt): Promise<void> {
    await this.#append(attempt, { kind: 'step-done' });
  }

  /** A change of state in the middle of a run: undoing, needs-operator (with what failed), running again. */
  async setState(runId: string, state: RunState, failure?: Failure): Promise<void> {
    await this.#transaction(async (trx) => {
      const run = await lockRun(trx, runId);
      if (run === undefined || isEnded(run.state) || run.state === state) return;
      const failed = failure === undefined ? {} : { failure: JSON.stringify(failure) };
      await trx
        .updateTable('runs')
        .set({ state, ...failed })
        .where('id', '=', runId)
        .execute();
      await appendEvent(trx, runId, { kind: 'run-state', state, failure });
    });
  }

  /** Ends a run: state, result, locks, secrets, in one transaction. Ending it again changes nothing. */
  async end(runId: string, outcome: RunOutcome): Promise<void> {
    await this.#transaction((trx) => endRun(trx, runId, outcome));
  }

  async #append(attempt: Attempt, event: Pick<NewEvent, 'kind' | 'failure'>): Promise<void> {
    const run = await orStoreUnavailable(() => appendAttempt(this.#db, attempt, stateAt(attempt.step), event));
    if (run === undefined) throw new OperationFailure('NOT_FOUND', `There is no run ${attempt.runId} in the database.`);
    const foreign = run.executionId !== null && run.executionId !== attempt.executionId;
    if (foreign || isEnded(run.state)) throw strayExecution(attempt, run.state, foreign);
  }

  #transaction<T>(work: (trx: Db) => Promise<T>): Promise<T> {
    return orStoreUnavailable(() => this.#db.transaction().execute(work));
  }
}

export async function endRun(trx: Db, runId: string, outcome: RunOutcome): Promise<void> {
  const run = await lockRun(trx, runId);
  if (run === undefined || isEnded(run.state)) return;
  await trx
    .updateTable('runs')
    .set({
      state: outcome.state,
      ended_at: new Date(),
      current_step: null,
      result: outcome.result === undefined ? null : JSON.stringify(outcome.result),
      failure: outcome.failure === undefined ? null : JSON.stringify(outcome.failure),
      skips: JSON.stringify(outcome.skips),
    })
    .where('id', '=', runId)
    .execute();
  if (outcome.state === 'succeeded' || outcome.state === 'succeeded-with-skips') await settleAll(trx, runId);
  await trx.deleteFrom('locks').where('run_id', '=', runId).execute();
  await trx.deleteFrom('run_secrets').where('run_id', '=', runId).execute();
  await appendEvent(trx, runId, { kind: 'run-state', state: outcome.state, failure: outcome.failure });
}

/** What a successful run made is wanted now: nothing is owed any more. What an operator took over stays as it is. */
async function settleAll(trx: Db, runId: string): Promise<void> {
  await trx
    .updateTable('ledger')
    .set({ state: 'settled', settled_at: new Date() })
    .where('run_id', '=', runId)
    .where('state', '=', 'owed')
    .execute();
}

/** A step at work means that the run is running, or on its way back. */
function stateAt(step: string): RunState {
  return step.endsWith('.undo') ? 'undoing' : 'running';
}

function strayExecution(attempt: Attempt, state: RunState, foreign: boolean): OperationFailure {
  const why = foreign ? 'another execution works for it' : `it has ended (${state})`;
  return new OperationFailure('STRAY_EXECUTION', `Step ${attempt.step} of run ${attempt.runId} was not done: ${why}.`);
}
