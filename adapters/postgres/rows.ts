import type { Selectable } from 'kysely';
import type { Failure } from '../../domain/errors.ts';
import type { RunState } from '../../domain/run.ts';
import type { NewEvent } from './run-events.ts';
import type { Tables } from './tables.ts';

export interface RunRow {
  readonly id: string;
  readonly operation: string;
  readonly summary: string;
  /** Without its secrets. */
  readonly input: Record<string, unknown>;
  readonly resource: string;
  readonly workflowId: string;
  readonly state: RunState;
  readonly committed: boolean;
  /** Number of its latest event. */
  readonly seq: number;
  readonly requestedBy: string;
  readonly createdAt: Date;
  readonly startedAt?: Date;
  readonly endedAt?: Date;
  readonly currentStep?: string;
  readonly result?: unknown;
  readonly failure?: Failure;
  readonly skips: readonly { readonly step: string; readonly reason: string }[];
}

export interface RunEvent extends NewEvent {
  readonly runId: string;
  /** Starts at 1, without gaps, per run. */
  readonly seq: number;
  readonly at: Date;
}

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
