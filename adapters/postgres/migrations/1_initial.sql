-- Up Migration

-- A run is written here first (accepted), then its workflow is started: a crash in between is healed by the reconciler.
create table runs (
  id uuid primary key,
  operation text not null,
  summary text not null,
  input jsonb not null,
  resource text not null,
  workflow_id text not null,
  state text not null,
  committed boolean not null default false,
  requested_by text not null,
  idempotency_key text not null,
  body_hash text not null,
  -- The one Temporal execution that may work for this run: a second start of the same run has no effect.
  execution_id text,
  last_seq integer not null default 0,
  current_step text,
  result jsonb,
  failure jsonb,
  skips jsonb not null default '[]',
  created_at timestamptz not null default now(),
  started_at timestamptz,
  ended_at timestamptz,
  unique (requested_by, idempotency_key)
);
create index runs_open on runs (state) where ended_at is null;

-- seq is given out under the lock of the run's row: a bare serial becomes visible out of order and readers lose events.
create table run_events (
  run_id uuid not null references runs (id),
  seq integer not null,
  at timestamptz not null default now(),
  kind text not null,
  step text,
  round integer,
  attempt integer,
  state text,
  failure jsonb,
  worker text,
  primary key (run_id, seq),
  unique (run_id, step, round, attempt, kind)
);

-- What a run created or switched off and still owes. Written before the effect, settled after it is gone or restored.
create table ledger (
  run_id uuid not null references runs (id),
  kind text not null,
  id text not null,
  name text not null,
  duty text not null,
  step text not null,
  state text not null default 'owed',
  reason text,
  owed_at timestamptz not null default now(),
  settled_at timestamptz,
  primary key (run_id, kind, id, duty)
);

-- Exclusion across operations: one row per object that a run works on.
create table locks (
  resource text primary key,
  run_id uuid not null references runs (id),
  acquired_at timestamptz not null default now()
);

-- AES-256-GCM; the key is a file in the state folder. Rows go when their run ends.
create table run_secrets (
  run_id uuid not null references runs (id),
  name text not null,
  nonce bytea not null,
  ciphertext bytea not null,
  primary key (run_id, name)
);

-- What we deployed and how to recognise it again.
create table vms (
  pool text not null,
  uuid text not null,
  name text not null,
  address text not null,
  ssh_port integer not null,
  host_public_key text not null,
  run_id uuid not null references runs (id),
  recorded_at timestamptz not null default now(),
  primary key (pool, uuid)
);
