import type { LedgerEntry } from '../../domain/run.ts';
import type { Db } from './database.ts';
import { orStoreUnavailable } from './database.ts';

/** What a run still owes to the world. Entries are written before the effect and never deleted. */
export class Ledger {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Owing the same thing twice is one entry. */
  async owe(runId: string, step: string, entries: readonly LedgerEntry[]): Promise<void> {
    if (entries.length === 0) return;
    await orStoreUnavailable(() =>
      this.#db
        .insertInto('ledger')
        .values(entries.map((entry) => ({ run_id: runId, step, reason: null, settled_at: null, ...entry })))
        .onConflict((conflict) => conflict.columns(['run_id', 'kind', 'id', 'duty']).doNothing())
        .execute(),
    );
  }

  /** Everything that the step owed is gone, restored, or (after the run's success) wanted. */
  async settleStep(runId: string, step: string): Promise<void> {
    await this.#close(runId, step, 'settled');
  }

  /** An operator took it over: it stays readable in the run, with the reason. */
  async abandonStep(runId: string, step: string, reason: string): Promise<void> {
    await this.#close(runId, step, 'abandoned', reason);
  }

  /** What the step still owes, oldest first. */
  async owed(runId: string, step: string): Promise<LedgerEntry[]> {
    return orStoreUnavailable(() =>
      this.#db
        .selectFrom('ledger')
        .select(['kind', 'id', 'name', 'duty'])
        .where('run_id', '=', runId)
        .where('step', '=', step)
        .where('state', '=', 'owed')
        .orderBy('owed_at')
        .execute(),
    );
  }

  async settle(runId: string, kind: string, id: string): Promise<void> {
    await orStoreUnavailable(() =>
      this.#db
        .updateTable('ledger')
        .set({ state: 'settled', settled_at: new Date() })
        .where('run_id', '=', runId)
        .where('kind', '=', kind)
        .where('id', '=', id)
        .execute(),
    );
  }

  async #close(runId: string, step: string, state: 'settled' | 'abandoned', reason?: string): Promise<void> {
    await orStoreUnavailable(() =>
      this.#db
        .updateTable('ledger')
        .set({ state, settled_at: new Date(), reason: reason ?? null })
        .where('run_id', '=', runId)
        .where('step', '=', step)
        .where('state', '=', 'owed')
        .execute(),
    );
  }
}
