import { OperationFailure } from '../../domain/errors.ts';
import { PoolConnection } from './connection.ts';
import type { Timeouts } from './dispatcher.ts';
import { PoolClient } from './pool-client.ts';
import type { XapiObserver } from './pool-client.ts';
import type { PoolSettings, XapiPools } from './xapi.ts';

const DEFAULT_TIMEOUTS: Timeouts = { connectTimeoutMs: 5_000, callTimeoutMs: 30_000 };

/** One long-lived connection per pool. Throws when a CA file cannot be read; connects to nothing yet. */
export function createXapiPools(
  settings: readonly PoolSettings[],
  timeouts: Partial<Timeouts> = {},
  observe?: XapiObserver,
): XapiPools {
  const pools = settings.map((one) => {
    const connection = new PoolConnection(one, { ...DEFAULT_TIMEOUTS, ...timeouts });
    return { id: one.id, connection, client: new PoolClient(one, connection, observe) };
  });
  return {
    get(poolId) {
      const pool = pools.find((one) => one.id === poolId);
      if (pool !== undefined) return pool.client;
      const known = pools.map((one) => one.id).join(', ') || 'none';
      throw new OperationFailure(
        'POOL_UNKNOWN',
        `No pool ${poolId} is registered with this worker (registered: ${known}).`,
        {
          object: `pool ${poolId}`,
        },
      );
    },
    async close() {
      await Promise.all(pools.map(({ connection }) => connection.close()));
    },
  };
}
