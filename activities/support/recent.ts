import { LRUCache } from 'lru-cache';
import type { Xapi } from '../../adapters/xapi/xapi.ts';

/** How long an answer serves others that ask. */
const RECENT_MS = 2_000;
/** So many readings are kept, of all pools together. */
const MOST_READINGS = 1_000;

/**
 * What was read of a pool in the last moment, read once for all runs that ask: two hundred deployments ask for the same
 * template. For what decision 0010 names only: a refusal for want of room rests on a new reading, and no effect of
 * ours is looked for here.
 */
export class Recent {
  readonly #readings = new LRUCache<string, Promise<unknown>>({ max: MOST_READINGS, ttl: RECENT_MS });

  /** `what` names the reading within its pool; the time counts from its begin. A reading that failed is nobody else's failure. */
  read<T>(xapi: Pick<Xapi, 'poolId'>, what: string, ask: () => Promise<T>): Promise<T> {
    const key = `${xapi.poolId} ${what}`;
    const known = this.#readings.get(key) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const reading = ask();
    this.#readings.set(key, reading);
    reading.catch(() => this.#readings.delete(key));
    return reading;
  }
}
