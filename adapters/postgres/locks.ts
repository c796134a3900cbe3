import { OperationFailure } from '../../domain/errors.ts';
import type { Db } from './database.ts';
import { orStoreUnavailable } from './database.ts';

/** Exclusion across operations: an object belongs to one run at a time, and everybody can see to whom. */
export class Locks {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** True when the lock is held by this run already. */
  async holds(runId: string, resource: string): Promise<boolean> {
    const row = await orStoreUnavailable(() =>
      this.#db.selectFrom('locks').select('run_id').where('resource', '=', resource).executeTakeFirst(),
    );
    return row?.run_id === runId;
  }

  /** Throws RESOURCE_LOCKED with the owner when another run has it. */
  async acquire(runId: string, resource: string): Promise<void> {
    await orStoreUnavailable(() =>
      this.#db
        .insertInto('locks')
        .values({ run_id: runId, resource })
        .onConflict((conflict) => conflict.column('resource').doNothing())
        .execute(),
    );
    if (!(await this.holds(runId, resource))) throw await this.#lockedBy(resource);
  }

  async release(runId: string, resource: string): Promise<void> {
    await orStoreUnavailable(() =>
      this.#db.deleteFrom('locks').where('resource', '=', resource).where('run_id', '=', runId).execute(),
    );
  }

  async #lockedBy(resource: string): Promise<OperationFailure> {
    const owner = await orStoreUnavailable(() =>
      this.#db
        .selectFrom('locks')
        .innerJoin('runs', 'runs.id', 'locks.run_id')
        .select(['runs.id', 'runs.summary', 'runs.state', 'runs.requested_by', 'locks.acquired_at'])
        .where('locks.resource', '=', resource)
        .executeTakeFirst(),
    );
    if (owner === undefined)
      return new OperationFailure('POOL_BUSY', `The lock on ${resource} has just been released.`);
    const since = owner.acquired_at.toISOString();
    return new OperationFailure(
      'RESOURCE_LOCKED',
      `${resource} belongs to run ${owner.id} (${owner.summary}; ${owner.state}, asked for by ${owner.requested_by}) since ${since}.`,
      { object: resource, ownerRunId: owner.id },
    );
  }
}
