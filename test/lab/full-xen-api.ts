import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../../lab/lab.ts';

/** The npm package as its own users see it; the product's declarations cover only the part that the product uses. */
interface FullXenApi {
  readonly objects: {
    readonly all: Readonly<
      Record<string, { readonly $type: string; readonly $id: string; readonly name_label?: string }>
    >;
  };
  readonly objectsFetched: Promise<void>;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  call<T = unknown>(method: string, ...params: readonly unknown[]): Promise<T>;
  callAsync<T = unknown>(method: string, ...params: readonly unknown[]): Promise<T>;
}

interface Module {
  readonly createClient: (options: {
    readonly url: string;
    readonly auth: { readonly user: string; readonly password: string };
    readonly watchEvents: boolean;
    readonly debounce: number;
    readonly allowUnauthorized: boolean;
  }) => FullXenApi;
}

/** The unmodified client, connected; `address` may be any host's. */
export async function connectXenApi(
  lab: Lab,
  watchEvents: boolean,
  address = lab.pools[0]?.coordinatorAddress,
): Promise<FullXenApi> {
  const [pool] = lab.pools;
  if (pool === undefined) throw new Error('the lab has no pool');
  const { createClient } = (await import('xen-api')) as unknown as Module;
  const { user, password } = pool;
  const xapi = createClient({
    url: `${new URL(pool.url).protocol}//${address}:${pool.port}`,
    auth: { user, password },
    allowUnauthorized: true,
    watchEvents,
    debounce: 1,
  });
  await xapi.connect();
  return xapi;
}

/** The package neither waits for its logout nor for its last event.from: a lab closed too early would leave it retrying. */
export async function leave(lab: Lab, xapi: FullXenApi): Promise<void> {
  await xapi.disconnect();
  while (
    lab.calls().some(({ outcome }) => outcome === 'pending') ||
    lab.calls({ method: 'session.logout' }).length === 0
  )
    await sleep(2);
}
