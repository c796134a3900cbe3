import { savePool } from './restore-pool.ts';
import type { XapiServer } from './http/xapi-server.ts';
import type { PoolScenario } from './scenario.ts';
import type { Running, Shared } from './start-pool.ts';
import { dispatcherFor, newWorld, startPool } from './start-pool.ts';
import { StateFile } from './state-file.ts';
import type { Place, Site } from './world/site.ts';
import type { World } from './world/world.ts';

export interface LabPool {
  readonly id: string;
  readonly coordinatorAddress: string;
  readonly port: number;
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly hostAddresses: readonly string[];
  /** SHA-256 of what its hosts show, with colons; none where they do not speak TLS. */
  readonly certificateFingerprints: readonly string[];
}

/** In the order of the pool's hosts; one that is about to join has none there yet. */
function addressesOf({ world, bound }: Running): string[] {
  const byHost = new Map(bound.servers.map(({ home, address }) => [home.host, address]));
  return world.store.refs('host').flatMap((host) => byHost.get(host) ?? []);
}

function describePool(pool: Running): LabPool {
  const { world, bound } = pool;
  const { address } = world.store.get('host', world.pool.master);
  return {
    id: world.id,
    coordinatorAddress: address,
    port: bound.port,
    url: `${world.scheme}://${address}:${bound.port}`,
    user: world.user,
    password: world.password,
    hostAddresses: addressesOf(pool),
    certificateFingerprints: world.store
      .records('Certificate')
      .map(([, certificate]) => certificate.fingerprint_sha256),
  };
}

/** A pool whose last host has joined another one is there no more; its world, without an object, takes the host back if it returns. */
const isThere = ({ world }: Running): boolean => world.store.count('pool') > 0;

/** The pools of a lab, and which machine belongs to which of them. */
export class Pools implements Site {
  private readonly shared: Shared;
  private readonly running: Running[] = [];
  private readonly file: StateFile | undefined;

  constructor(shared: Omit<Shared, 'site'>) {
    this.shared = { ...shared, site: this };
    const { stateFile } = shared.options;
    this.file = stateFile === undefined ? undefined : new StateFile(stateFile, shared.saved?.epoch ?? 0);
  }

  get worlds(): readonly World[] {
    return this.running.map(({ world }) => world);
  }

  describe(): LabPool[] {
    return this.running.filter(isThere).map(describePool);
  }

  /** Starts them all. Rejects when a saved pool's addresses are taken by somebody else. */
  async start(scenarios: readonly PoolScenario[]): Promise<void> {
    for (const scenario of scenarios) this.add(await startPool(scenario.id, scenario, this.shared));
    const started = new Set(this.worlds.map(({ id }) => id));
    for (const { id, origin } of this.shared.saved?.pools ?? []) {
      const scenario = scenarios.find((candidate) => candidate.id === origin);
      if (!started.has(id) && scenario !== undefined) this.add(await startPool(id, scenario, this.shared));
    }
    this.save();
  }

  at(address: string): Place | undefined {
    const places = this.running.flatMap(({ bound }) => bound.servers).filter((server) => server.address === address);
    const open = places.find(({ home: { world, host } }) => world.machines.of(host).toolstack === 'up');
    return open?.home;
  }

  found({ world: from, host }: Place): World {
    const { bound, scenario } = this.of(from);
    const { name_label: name } = from.store.get('host', host);
    const before = this.running.find((pool) => pool.world.id === name);
    if (before !== undefined && !isThere(before)) return before.world;
    const id = before === undefined ? name : `${name}-${this.running.length}`;
    const world = newWorld(id, scenario, this.shared);
    this.add({
      world,
      scenario,
      bound: { dispatcher: dispatcherFor(world, this.shared), port: bound.port, servers: [] },
    });
    return world;
  }

  rehouse(from: Place, to: Place): void {
    const { bound } = this.of(to.world);
    for (const server of this.release(from)) {
      server.move({ ...to, dispatcher: bound.dispatcher }, bound.port);
      bound.servers.push(server);
    }
    to.world.machines.adopt(to.host, from.world.machines.release(from.host));
    this.save();
  }

  retire(place: Place): void {
    const { listener } = place.world.machines.release(place.host);
    place.world.machines.run(async () => listener?.close());
    this.release(place);
    this.save();
  }

  async close(): Promise<void> {
    for (const world of this.worlds) world.closing.abort();
    await Promise.all(this.worlds.map((world) => world.machines.settled()));
    await Promise.all(this.running.flatMap(({ bound }) => bound.servers.map((server) => server.close())));
    this.file?.close();
  }

  private add(pool: Running): void {
    this.running.push(pool);
    this.file?.watch(pool.world);
  }

  private of(world: World): Running {
    const found = this.running.find((pool) => pool.world === world);
    if (found === undefined) throw new Error(`the pool ${world.id} is none of this lab`);
    return found;
  }

  /** The host's server, which its pool has no more. */
  private release({ world, host }: Place): XapiServer[] {
    const { servers } = this.of(world).bound;
    const at = servers.findIndex(({ home }) => home.host === host);
    return at < 0 ? [] : servers.splice(at, 1);
  }

  private save(): void {
    this.file?.write(
      this.running.map((pool) =>
        savePool(pool.world, {
          origin: pool.scenario.id,
          addresses: addressesOf(pool),
          port: pool.bound.port,
        }),
      ),
    );
  }
}
