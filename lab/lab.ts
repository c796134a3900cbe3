import { behaviours } from './behaviour/all.ts';
import { derivations } from './behaviour/allowed-operations.ts';
import { derivationsIn } from './behaviour/release-operations.ts';
import { buildPool } from './build-pool.ts';
import type { CallFilter, CallRecord } from './call-log.ts';
import { CallLog } from './call-log.ts';
import type { WorldChange, WorldSnapshot } from './diff.ts';
import { diff, snapshot } from './diff.ts';
import { Dispatcher } from './dispatch/dispatcher.ts';
import { Registry } from './dispatch/registry.ts';
import type { BarrierSpec, FaultSpec } from './fault-spec.ts';
import type { Barrier, PlannedFault } from './faults.ts';
import { FaultPlan } from './faults.ts';
import { InProcessGuests } from './guests/guest.ts';
import { NamespaceGuests } from './netns/namespace-guests.ts';
import type { BoundPool } from './http/bind-pool.ts';
import { bindServers, findAddresses } from './http/bind-pool.ts';
import type { ApiModel } from './model/model.ts';
import { offerFor } from './patching/catalogue.ts';
import { Vendor } from './patching/vendor.ts';
import type { Product } from './products.ts';
import { productNamed, usualProduct } from './products.ts';
import { restorePool, savePool } from './restore-pool.ts';
import type { PoolScenario } from './scenario.ts';
import { defaultPool } from './scenario.ts';
import type { SavedState } from './state-file.ts';
import { StateFile, readState } from './state-file.ts';
import type { Guests } from './world/guests.ts';
import { Identities } from './world/identities.ts';
import type { LatencyProfile } from './world/latency.ts';
import { Latency } from './world/latency.ts';
import { World } from './world/world.ts';

const sweepMs = 30_000;

export interface LabOptions {
  /** Divides the reference latencies; 1000 if left out. */
  readonly speed?: number;
  readonly latencies?: LatencyProfile;
  /** One pool, ams1, if left out. */
  readonly pools?: readonly PoolScenario[];
  /** The same seed gives the same references, uuids and MACs in the same order. */
  readonly seed?: number;
  /** The port that all hosts share; 0 or left out: a free one. */
  readonly port?: number;
  readonly guestSshPort?: number;
  /** In-process if left out. Namespace guests need Linux and root; startLab rejects, with what to do, where they cannot be had. */
  readonly guests?: 'in-process' | 'namespaces';
  /** Where the world outlives the lab's process; it is read at the start if it is there. */
  readonly stateFile?: string;
}

export interface LabPool {
  readonly id: string;
  readonly coordinatorAddress: string;
  readonly port: number;
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly hostAddresses: readonly string[];
}

export interface Lab {
  readonly pools: readonly LabPool[];
  /** The first pool's world. */
  readonly world: World;
  readonly worlds: readonly World[];
  /** Undefined when the guests are in-process ones. */
  readonly namespaces: NamespaceGuests | undefined;
  snapshot(): WorldSnapshot;
  /** From the snapshot to now. */
  diff(before: WorldSnapshot): WorldChange[];
  /** Throws ZodError when it is no fault. */
  plan(fault: FaultSpec): PlannedFault;
  hold(spec: BarrierSpec): Barrier;
  clearFaults(): void;
  readonly faults: FaultPlan;
  calls(filter?: CallFilter): CallRecord[];
  readonly callCount: number;
  /** How many times faster than life. */
  readonly speed: number;
  setSpeed(speed: number): void;
  /** Official messages that are answered with NOT_IMPLEMENTED. */
  unmodelled(): string[];
  close(): Promise<void>;
}

interface Running {
  readonly world: World;
  readonly bound: BoundPool;
}

/** What each release of the data model answers to. */
type Registries = ReadonlyMap<ApiModel, Registry>;

/** What all pools of a lab have in common. */
interface Shared {
  readonly options: LabOptions;
  readonly registries: Registries;
  readonly log: CallLog;
  readonly faults: FaultPlan;
  readonly latency: Latency;
  readonly guests: Guests;
  readonly saved: SavedState | undefined;
}

/** A failure of the lab itself, outside of any call that could answer it. */
function reportFault(error: unknown): void {
  process.stderr.write(`lab: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
}

const productOf = ({ product = usualProduct }: PoolScenario): Product => productNamed(product);

function registriesFor(scenarios: readonly PoolScenario[]): Registries {
  const models = new Set(scenarios.map((scenario) => productOf(scenario).model));
  return new Map([...models].map((model) => [model, new Registry(model, behaviours())]));
}

function registryOf({ registries }: Pick<Shared, 'registries'>, scenario: PoolScenario): Registry {
  const found = registries.get(productOf(scenario).model);
  if (found === undefined) throw new Error(`no registry for pool ${scenario.id}`);
  return found;
}

function newWorld(scenario: PoolScenario, shared: Shared): World {
  const { options, log, faults, guests, latency } = shared;
  const product = productOf(scenario);
  return new World({
    id: scenario.id,
    product,
    vendor: new Vendor(scenario.updates ?? offerFor(scenario.product)),
    user: scenario.user,
    password: scenario.password,
    identities: new Identities(options.seed),
    derivations: derivationsIn(product.model, derivations),
    latency,
    faults,
    log,
    guests,
    guestSshPort: options.guestSshPort ?? 2222,
    onFault: reportFault,
  });
}

async function startPool(scenario: PoolScenario, shared: Shared): Promise<Running> {
  const saved = shared.saved?.pools.find((pool) => pool.id === scenario.id);
  if (saved !== undefined) {
    const world = newWorld(scenario, shared);
    await restorePool(world, saved, shared.saved?.journal ?? []);
    const dispatcher = new Dispatcher(world, registryOf(shared, scenario));
    const bound = await bindServers(world, dispatcher, saved.addresses, saved.port);
    return { world, bound };
  }
  return findAddresses(scenario.hosts.length, async (addresses) => {
    const world = newWorld(scenario, shared);
    buildPool(world, scenario, addresses);
    const dispatcher = new Dispatcher(world, registryOf(shared, scenario));
    const bound = await bindServers(world, dispatcher, addresses, shared.options.port ?? 0);
    return { world, bound };
  });
}

function describePool({ world, bound }: Running): LabPool {
  const { address } = world.store.get('host', world.pool.master);
  return {
    id: world.id,
    coordinatorAddress: address,
    port: bound.port,
    url: `http://${address}:${bound.port}`,
    user: world.user,
    password: world.password,
    hostAddresses: bound.addresses,
  };
}

async function keepState(running: readonly Running[], path: string, epoch: number): Promise<StateFile> {
  const pools = running.map(({ world, bound }) => savePool(world, bound.addresses, bound.port));
  const file = new StateFile(
    path,
    epoch,
    running.map(({ world }) => world),
  );
  await file.write(pools);
  return file;
}

async function stop(running: readonly Running[], guests: Guests, file: StateFile | undefined): Promise<void> {
  for (const { world } of running) world.closing.abort();
  await Promise.all(running.flatMap(({ bound }) => bound.servers.map((server) => server.close())));
  await guests.close();
  file?.close();
}

function logSshConnection(log: CallLog, { vmUuid, user = '' }: { vmUuid: string; user?: string }): void {
  const call = log.open({ method: 'ssh.connect', params: [vmUuid, user], mutating: false, pool: '', host: vmUuid });
  call.outcome = 'ok';
}

/** Starts a simulated data centre on loopback addresses. Rejects when a saved pool's addresses are taken by somebody else. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const log = new CallLog();
  const faults = new FaultPlan(options.seed);
  const onSshConnect = (event: { vmUuid: string; user?: string }) => logSshConnection(log, event);
  const namespaces =
    options.guests === 'namespaces' ? await NamespaceGuests.open({ onSshConnect, onFault: reportFault }) : undefined;
  const guests = namespaces ?? new InProcessGuests({ onSshConnect });
  const saved = options.stateFile === undefined ? undefined : await readState(options.stateFile);
  const scenarios = options.pools ?? [defaultPool()];
  const registries = registriesFor(scenarios);
  const latency = new Latency(options.latencies ?? 'zero', options.speed ?? 1000);
  const shared: Shared = { options, registries, log, faults, latency, guests, saved };
  const running: Running[] = [];
  for (const scenario of scenarios) running.push(await startPool(scenario, shared));
  const file =
    options.stateFile === undefined ? undefined : await keepState(running, options.stateFile, (saved?.epoch ?? 0) + 1);
  const sweep = setInterval(() => {
    for (const { world } of running) world.sweep(Date.now());
  }, sweepMs).unref();
  const worlds = running.map(({ world }) => world);
  const [world] = worlds;
  if (world === undefined) throw new Error('a lab needs at least one pool');
  return {
    pools: running.map(describePool),
    world,
    worlds,
    namespaces,
    snapshot: () => snapshot(worlds),
    diff: (before) => diff(before, snapshot(worlds)),
    plan: (fault) => faults.plan(fault),
    hold: (spec) => faults.hold(spec),
    clearFaults: () => faults.clear(),
    faults,
    calls: (filter) => log.list(filter),
    get callCount() {
      return log.count;
    },
    get speed() {
      return latency.speed;
    },
    setSpeed: (speed) => (latency.speed = speed),
    unmodelled: () => [...new Set([...registries.values()].flatMap((registry) => registry.unmodelled()))],
    close: async () => {
      clearInterval(sweep);
      faults.clear();
      await stop(running, guests, file);
    },
  };
}
