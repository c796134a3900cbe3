import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Place } from '../world/site.ts';
import type { World } from '../world/world.ts';
import { XapiServer } from './xapi-server.ts';

/** A pool's ports; its hosts can leave it and others can come. */
export interface BoundPool {
  readonly dispatcher: Dispatcher;
  readonly port: number;
  readonly servers: XapiServer[];
}

const attempts = 60;

async function closeAll(servers: readonly XapiServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.close()));
}

/** From here on the host's toolstack opens and closes its port. */
async function attach({ world, host }: Place, server: XapiServer): Promise<void> {
  const machine = world.machines.of(host);
  machine.listener = server;
  if (machine.toolstack === 'down') await server.close();
}

/**
 * One server per host on one port, since HOST_IS_SLAVE tells an address only; the addresses in the order of the hosts. Rejects
 * when one of them is taken.
 */
export async function bindServers(
  world: World,
  dispatcher: Dispatcher,
  addresses: readonly string[],
  port: number,
): Promise<BoundPool> {
  const servers: XapiServer[] = [];
  let common = port;
  try {
    for (const [at, address] of addresses.entries()) {
      const place = { world, host: world.store.refs('host')[at] ?? '' };
      const server = new XapiServer({ ...place, dispatcher });
      servers.push(server);
      common = await server.listen(address, common);
      await attach(place, server);
    }
  } catch (error) {
    await closeAll(servers);
    throw error;
  }
  return { dispatcher, port: common, servers };
}

/** Loopback addresses 127.0.a.1 and on, for an a that is free; a random one first, so that labs side by side seldom meet. */
export async function findAddresses<T>(
  count: number,
  tryThem: (addresses: readonly string[]) => Promise<T>,
): Promise<T> {
  const first = Math.floor(Math.random() * 254);
  for (let attempt = 0; ; attempt++) {
    const block = 1 + ((first + attempt) % 254);
    const addresses = Array.from({ length: count }, (_, at) => `127.0.${block}.${at + 1}`);
    try {
      return await tryThem(addresses);
    } catch (error) {
      const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!isTaken || attempt >= attempts) throw error;
    }
  }
}
