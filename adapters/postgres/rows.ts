import type { Selectable } from 'kysely';
import type { RunEvent, RunRow } from './run-store.ts';
import type { Tables } from './tables.ts';

/** From the words of the database to ours: camel case, undefined for null. */
export function runFrom(row: Selectable<Tables['runs']>): RunRow {
  return {
    id: row.id,
    operation: row.operation,
    summary: row.summary,
    input: row.input,
    resource: row.resource,
    workflowId: row.workflow_id,
    state: row.state,
    committed: row.committed,
    seq: row.last_seq,
    requestedBy: row.requested_by,
    createdAt: row.created_at,
    startedAt: row.started_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
    currentStep: row.current_step ?? undefined,
    result: row.result ?? undefined,
    failure: row.failure ?? undefined,
    skips: row.skips,
  };
}

export function eventFrom(row: Selectable<Tables['run_events']>): RunEvent {
  return {
    runId: row.run_id,
    seq: row.seq,
    at: row.at,
    kind: row.kind,
    step: row.step ?? undefined,
    round: row.round ?? undefined,
    attempt: row.attempt ?? undefined,
    state: row.state ?? undefined,
    failure: row.failure ?? undefined,
    worker: row.worker ?? undefined,
  };
}
