import type { ExpressionBuilder } from 'kysely';
import { ENDED_STATES } from '../../domain/run.ts';
import type { LedgerEntry, RunOutcome, RunState } from '../../domain/run.ts';
import type { Db } from './database.ts';
import { orStoreUnavailable } from './database.ts';
import { appendEvent } from './run-events.ts';
import { endRun } from './run-log.ts';
import { eventFrom, runFrom } from './rows.ts';
import type { RunEvent, RunRow } from './rows.ts';
import type { Tables } from './tables.ts';
import type { Vault } from './vault.ts';

export interface LedgerRow extends LedgerEntry {
  readonly runId: string;
  readonly step: string;
  readonly state: 'owed' | 'settled' | 'abandoned';
  readonly reason?: string;
}

export interface NewRun {
  readonly id: string;
  readonly operation: string;
  readonly summary: string;
  readonly input: Record<string, unknown>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly resource: string;
  readonly workflowId: string;
  readonly requestedBy: string;
  readonly idempotencyKey: string;
  readonly bodyHash: string;
}

export interface Accepted {
  readonly outcome: 'created' | 'same' | 'other-body';
  readonly run: RunRow;
}

export interface RunFilter {
  readonly state?: readonly RunState[];
  readonly operation?: string;
  readonly requestedBy?: string;
  /** What the name of the object begins with. */
  readonly resource?: string;
  /** Accepted at this moment or later. */
  readonly since?: Date;
  /** Accepted before this moment. */
  readonly until?: Date;
  readonly order: 'newest' | 'oldest';
  readonly limit: number;
  /** Goes on after this run, in the given order (ids are UUIDv7: they sort by time). */
  readonly cursor?: string;
}

/** The API's side of the read model. Every method throws STORE_UNAVAILABLE when PostgreSQL is away. */
export class RunStore {
  readonly #db: Db;
  readonly #vault: Vault;

  constructor(db: Db, vault: Vault) {
    this.#db = db;
    this.#vault = vault;
  }

  /** One run per caller and key, whoever asks first; the row and its secrets appear together or not at all. */
  async accept(request: NewRun): Promise<Accepted> {
    return this.#transaction(async (trx) => {
      const created = await insertRun(trx, request);
      if (created) {
        for (const [name, value] of Object.entries(request.secrets))
          await this.#vault.put(trx, request.id, name, value);
        await appendEvent(trx, request.id, { kind: 'run-accepted', state: 'accepted' });
      }
      const row = await trx
        .selectFrom('runs')
        .selectAll()
        .where('requested_by', '=', request.requestedBy)
        .where('idempotency_key', '=', request.idempotencyKey)
        .executeTakeFirstOrThrow();
      const same = row.body_hash === request.bodyHash ? 'same' : 'other-body';
      return { outcome: created ? 'created' : same, run: runFrom(row) };
    });
  }

  /** Asks for nothing but an answer. */
  async ping(): Promise<void> {
    await orStoreUnavailable(() => this.#db.selectNoFrom((eb) => eb.lit(1).as('one')).execute());
  }

  async get(id: string): Promise<RunRow | undefined> {
    const row = await orStoreUnavailable(() =>
      this.#db.selectFrom('runs').selectAll().where('id', '=', id).executeTakeFirst(),
    );
    return row === undefined ? undefined : runFrom(row);
  }

  async list({ order, limit, cursor, ...filter }: RunFilter): Promise<RunRow[]> {
    const isNewest = order === 'newest';
    let query = this.#db.selectFrom('runs').selectAll().where(matches(filter)).limit(limit);
    query = query.orderBy('id', isNewest ? 'desc' : 'asc');
    if (cursor !== undefined) query = query.where('id', isNewest ? '<' : '>', cursor);
    return (await orStoreUnavailable(() => query.execute())).map(runFrom);
  }

  /** States that no run is in are absent. */
  async countByState(): Promise<ReadonlyMap<RunState, number>> {
    const rows = await orStoreUnavailable(() =>
      this.#db
        .selectFrom('runs')
        .select((eb) => ['state', eb.fn.countAll().as('count')])
        .groupBy('state')
        .execute(),
    );
    return new Map(rows.map(({ state, count }) => [state, Number(count)]));
  }

  async events(runId: string, afterSeq: number, limit = 1_000): Promise<RunEvent[]> {
    const rows = await orStoreUnavailable(() =>
      this.#db
        .selectFrom('run_events')
        .selectAll()
        .where('run_id', '=', runId)
        .where('seq', '>', afterSeq)
        .orderBy('seq')
        .limit(limit)
        .execute(),
    );
    return rows.map(eventFrom);
  }

  async ledger(runId: string): Promise<LedgerRow[]> {
    const rows = await orStoreUnavailable(() =>
      this.#db.selectFrom('ledger').selectAll().where('run_id', '=', runId).orderBy('owed_at').execute(),
    );
    return rows.map(({ kind, id, name, duty, step, state, reason }) => ({
      ...{ runId, kind, id, name, duty, step, state },
      reason: reason ?? undefined,
    }));
  }

  /** Rows whose workflow was never seen at work: the process may have died between the row and the start. */
  async notStarted(olderThanMs: number): Promise<RunRow[]> {
    const query = this.#db
      .selectFrom('runs')
      .selectAll()
      .where('state', '=', 'accepted')
      .where('created_at', '<', new Date(Date.now() - olderThanMs))
      .orderBy('id');
    return (await orStoreUnavailable(() => query.execute())).map(runFrom);
  }

  /** Rows at work, for comparison with Temporal's own description. */
  async open(): Promise<RunRow[]> {
    const query = this.#db
      .selectFrom('runs')
      .selectAll()
      .where('state', 'not in', ['accepted', ...ENDED_STATES])
      .orderBy('id');
    return (await orStoreUnavailable(() => query.execute())).map(runFrom);
  }

  /** Ends a run from outside its workflow: refused at the start, or the workflow was ended by other hands. */
  async close(id: string, outcome: RunOutcome): Promise<void> {
    await this.#transaction((trx) => endRun(trx, id, outcome));
  }

  #transaction<T>(work: (trx: Db) => Promise<T>): Promise<T> {
    return orStoreUnavailable(() => this.#db.transaction().execute(work));
  }
}

function matches({ state, operation, requestedBy, resource, since, until }: Omit<RunFilter, 'order' | 'limit'>) {
  return (eb: ExpressionBuilder<Tables, 'runs'>) =>
    eb.and([
      ...(state === undefined ? [] : [eb('state', 'in', state)]),
      ...(operation === undefined ? [] : [eb('operation', '=', operation)]),
      ...(requestedBy === undefined ? [] : [eb('requested_by', '=', requestedBy)]),
      ...(resource === undefined ? [] : [eb.fn<boolean>('starts_with', ['resource', eb.val(resource)])]),
      ...(since === undefined ? [] : [eb('created_at', '>=', since)]),
      ...(until === undefined ? [] : [eb('created_at', '<', until)]),
    ]);
}

async function insertRun(trx: Db, request: NewRun): Promise<boolean> {
  const inserted = await trx
    .insertInto('runs')
    .values({
      id: request.id,
      operation: request.operation,
      summary: request.summary,
      input: JSON.stringify(request.input),
      resource: request.resource,
      workflow_id: request.workflowId,
      state: 'accepted',
      requested_by: request.requestedBy,
      idempotency_key: request.idempotencyKey,
      body_hash: request.bodyHash,
    })
    .onConflict((conflict) => conflict.columns(['requested_by', 'idempotency_key']).doNothing())
    .executeTakeFirst();
  return inserted.numInsertedOrUpdatedRows === 1n;
}
