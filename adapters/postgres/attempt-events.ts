import { sql } from 'kysely';
import { ENDED_STATES } from '../../domain/run.ts';
import type { RunState } from '../../domain/run.ts';
import type { Db } from './database.ts';
import type { NewEvent } from './run-events.ts';

/** One delivery of one step: what the worker knows about itself. */
export interface Attempt {
  readonly runId: string;
  /** Temporal's run id of the workflow execution. */
  readonly executionId: string;
  /** `cloneVm` or `cloneVm.undo`. */
  readonly step: string;
  readonly round: number;
  readonly attempt: number;
  /** Whether the run has passed its point of no return. */
  readonly committed: boolean;
  readonly worker: string;
}

/** The run as it was before the event. */
interface RunBefore {
  readonly state: RunState;
  readonly executionId: string | null;
}

/**
 * Writes down where a delivery is, under the lock of its run's row, and answers what the run was before. Nothing is
 * written when the run has ended or works for another execution; undefined when there is no such run. The same event
 * again is no second event.
 * One statement, since it is written twice for each step of each run: as a transaction of six it was half of what the
 * worker asked PostgreSQL. What waits for the lock reads the row as the one before left it.
 */
export async function appendAttempt(
  db: Db,
  attempt: Attempt,
  state: RunState,
  { kind, failure }: Pick<NewEvent, 'kind' | 'failure'>,
): Promise<RunBefore | undefined> {
  const { runId, executionId, step, round, attempt: number, committed, worker } = attempt;
  const failureJson = failure === undefined ? null : JSON.stringify(failure);
  const { rows } = await sql<RunBefore>`
    with run as (
      select id, state, execution_id, last_seq from runs where id = ${runId} for update
    ), own as (
      select id, last_seq from run
      where coalesce(execution_id, ${executionId}) = ${executionId} and state <> all(${[...ENDED_STATES]}::text[])
    ), event as (
      insert into run_events (run_id, seq, kind, step, round, attempt, failure, worker)
      select id, last_seq + 1, ${kind}, ${step}, ${round}::integer, ${number}::integer, ${failureJson}::jsonb, ${worker}
      from own
      on conflict (run_id, step, round, attempt, kind) do nothing
      returning seq
    ), written as (
      update runs
      set execution_id = ${executionId}, current_step = ${step}, committed = ${committed}::boolean, state = ${state},
        started_at = coalesce(started_at, now()), last_seq = own.last_seq + (select count(*) from event)
      from own where runs.id = own.id
    )
    select state, execution_id as "executionId" from run`.execute(db);
  return rows[0];
}
