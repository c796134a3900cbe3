import type { ColumnType, Generated } from 'kysely';
import type { Failure } from '../../domain/errors.ts';
import type { Role } from '../../domain/permissions.ts';
import type { RunState } from '../../domain/run.ts';

/** jsonb: read as a value, written as text. */
type Json<T> = ColumnType<T, string, string>;

interface RunsTable {
  id: string;
  operation: string;
  summary: string;
  input: Json<Record<string, unknown>>;
  resource: string;
  workflow_id: string;
  state: RunState;
  committed: Generated<boolean>;
  requested_by: string;
  idempotency_key: string;
  body_hash: string;
  execution_id: string | null;
  last_seq: Generated<number>;
  current_step: string | null;
  result: ColumnType<unknown, string | null, string | null>;
  failure: ColumnType<Failure | null, string | null, string | null>;
  skips: ColumnType<{ step: string; reason: string }[], string | undefined, string>;
  created_at: Generated<Date>;
  started_at: Date | null;
  ended_at: Date | null;
}

export type RunEventKind = 'run-accepted' | 'run-state' | 'step-started' | 'attempt-failed' | 'step-done';

interface RunEventsTable {
  run_id: string;
  seq: number;
  at: Generated<Date>;
  kind: RunEventKind;
  step: string | null;
  round: number | null;
  attempt: number | null;
  state: RunState | null;
  failure: ColumnType<Failure | null, string | null, string | null>;
  worker: string | null;
  /** Among the events of all runs; bigint arrives as text. */
  position: ColumnType<string | null, never, never>;
}

interface LedgerTable {
  run_id: string;
  kind: string;
  id: string;
  name: string;
  duty: 'remove' | 'restore';
  step: string;
  state: ColumnType<'owed' | 'settled' | 'abandoned', string | undefined, string>;
  reason: string | null;
  owed_at: Generated<Date>;
  settled_at: Date | null;
}

interface LocksTable {
  resource: string;
  run_id: string;
  acquired_at: Generated<Date>;
}

interface RunSecretsTable {
  run_id: string;
  name: string;
  nonce: Buffer;
  ciphertext: Buffer;
}

interface VmsTable {
  pool: string;
  uuid: string;
  name: string;
  address: string;
  ssh_port: number;
  host_public_key: string;
  run_id: string;
  recorded_at: Generated<Date>;
}

interface TokensTable {
  id: string;
  name: string;
  role: Role;
  digest: Buffer;
  created_at: Generated<Date>;
  expires_at: ColumnType<Date | null, Date | undefined, never>;
  revoked_at: ColumnType<Date | null, never, Date>;
  last_used_at: ColumnType<Date | null, never, Date>;
}

export interface Tables {
  runs: RunsTable;
  run_events: RunEventsTable;
  ledger: LedgerTable;
  locks: LocksTable;
  run_secrets: RunSecretsTable;
  vms: VmsTable;
  tokens: TokensTable;
}
