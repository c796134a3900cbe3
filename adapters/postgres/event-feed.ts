import { sql } from 'kysely';
import type { Db } from './database.ts';
import { orStoreUnavailable } from './database.ts';
import { eventFrom } from './rows.ts';
import type { RunEvent } from './rows.ts';

export interface PlacedEvent {
  /** Among the events of all runs: from 1, without gaps. */
  readonly position: number;
  readonly event: RunEvent;
}

/**
 * The events of all runs in one order. An event gets its position when it is first read here, not when it is written:
 * what becomes visible late comes last, so that a reader who has seen a position has seen all before it.
 * Every method throws STORE_UNAVAILABLE when PostgreSQL is away.
 */
export class EventFeed {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  async after(position: number, limit: number): Promise<PlacedEvent[]> {
    await this.#number();
    const rows = await orStoreUnavailable(() =>
      this.#db
        .selectFrom('run_events')
        .selectAll()
        .where('position', '>', String(position))
        .orderBy('position')
        .limit(limit)
        .execute(),
    );
    return rows.map((row) => ({ position: Number(row.position), event: eventFrom(row) }));
  }

  /** The position of the latest event; 0 when there is none. */
  async head(): Promise<number> {
    await this.#number();
    const { head } = await orStoreUnavailable(() =>
      this.#db
        .selectFrom('run_events')
        .select((eb) => eb.fn.max('position').as('head'))
        .executeTakeFirstOrThrow(),
    );
    return Number(head ?? 0);
  }

  async #number(): Promise<void> {
    await orStoreUnavailable(() => sql`select number_run_events()`.execute(this.#db));
  }
}
