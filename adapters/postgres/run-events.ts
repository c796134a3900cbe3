import { sql } from 'kysely';
import type { Failure } from '../../domain/errors.ts';
import type { RunState } from '../../domain/run.ts';
import type { Db } from './database.ts';
import type { RunEventKind } from './tables.ts';

export interface NewEvent {
  readonly kind: RunEventKind;
  readonly step?: string;
  /** How often an operator has asked for this step again; attempts are counted anew in each round. */
  readonly round?: number;
  readonly attempt?: number;
  readonly state?: RunState;
  readonly failure?: Failure;
  readonly worker?: string;
}

/**
 * Appends an event under the lock of its run's row: numbers become visible in their order. The same (step, round,
 * attempt, kind) again is no second event. Call it inside a transaction; the row must be locked by it already.
 */
export async function appendEvent(trx: Db, runId: string, event: NewEvent): Promise<void> {
  const inserted = await trx
    .insertInto('run_events')
    .values({
      run_id: runId,
      seq: sql<number>`(select last_seq + 1 from runs where id = ${runId})`,
      kind: event.kind,
      step: event.step ?? null,
      round: event.round ?? null,
      attempt: event.attempt ?? null,
      state: event.state ?? null,
      failure: event.failure === undefined ? null : JSON.stringify(event.failure),
      worker: event.worker ?? null,
    })
    .onConflict((conflict) => conflict.columns(['run_id', 'step', 'round', 'attempt', 'kind']).doNothing())
    .executeTakeFirst();
  if (inserted.numInsertedOrUpdatedRows === 0n) return;
  await trx
    .updateTable('runs')
    .set((row) => ({ last_seq: row('last_seq', '+', 1) }))
    .where('id', '=', runId)
    .execute();
}

export async function lockRun(trx: Db, runId: string) {
  return trx.selectFrom('runs').selectAll().where('id', '=', runId).forUpdate().executeTakeFirst();
}
