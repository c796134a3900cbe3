import { behaviours } from './behaviour/all.ts';
import { derivations } from './behaviour/allowed-operations.ts';
import { bootGuest } from './behaviour/guest-lifecycle.ts';
import { resumeMachines } from './behaviour/host-lifecycle.ts';
import { derivationsIn } from './behaviour/release-operations.ts';
import { buildPool } from './build-pool.ts';
import { CallLog } from './call-log.ts';
import { Dispatcher } from './dispatch/dispatcher.ts';
import { Registry } from './dispatch/registry.ts';
import { FaultPlan } from './faults.ts';
import type { Guests } from './world/guests.ts';
import type { BoundPool } from './http/bind-pool.ts';
import { bindServers, findAddresses } from './http/bind-pool.ts';
import type { ApiModel } from './model/model.ts';
import { offerFor } from './patching/catalogue.ts';
import { Vendor } from './patching/vendor.ts';
import type { Product } from './products.ts';
import { productNamed, usualProduct } from './products.ts';
import { restorePool } from './restore-pool.ts';
import type { PoolScenario } from './scenario.ts';
import type { SavedState } from './state-file.ts';
import { Identities, nullRef } from './world/identities.ts';
import type { Site } from './world/site.ts';
import type { LatencyProfile, Work } from './world/latency.ts';
import { Latency } from './world/latency.ts';
import { World } from './world/world.ts';

export interface LabOptions {
  /** Divides the reference latencies; 1000 if left out. */
  readonly speed?: number | undefined;
  readonly latencies?: LatencyProfile | undefined;
  /** What single kinds of work take instead, in milliseconds before division by the speed. */
  readonly latenciesMs?: Partial<Record<Work, number | undefined>> | undefined;
  /** One pool, ams1, if left out. */
  readonly pools?: readonly PoolScenario[] | undefined;
  /** The same seed gives the same references, uuids and MACs in the same order. */
  readonly seed?: number | undefined;
  /** The port that all hosts share; 0 or left out: a free one. */
  readonly port?: number;
  readonly guestSshPort?: number;
  /** `in-process` if left out; `none` answers nobody. Namespaces need Linux and root: startLab rejects, with what to do. */
  readonly guests?: 'in-process' | 'namespaces' | 'none' | undefined;
  /** Where the world outlives the lab's process; it is read at the start if it is there. */
  readonly stateFile?: string;
}

export interface Running {
  readonly world: World;
  readonly bound: BoundPool;
  /** The one that it was made of, or the one of the pool that its host came from. */
  readonly scenario: PoolScenario;
}

/** What each release of the data model answers to. */
type Registries = ReadonlyMap<ApiModel, Registry>;

/** What all pools of a lab have in common. */
export interface Shared {
  readonly options: LabOptions;
  readonly registries: Registries;
  readonly log: CallLog;
  readonly faults: FaultPlan;
  readonly guests: Guests;
  readonly latency: Latency;
  readonly saved: SavedState | undefined;
  readonly site: Site;
}

/** A failure of the lab itself, outside of any call that could answer it. */
export function reportFault(error: unknown): void {
  process.stderr.write(`lab: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
}

const productOf = ({ product = usualProduct }: PoolScenario): Product => productNamed(product);

export function registriesFor(scenarios: readonly PoolScenario[]): Registries {
  const models = new Set(scenarios.map((scenario) => productOf(scenario).model));
  return new Map([...models].map((model) => [model, new Registry(model, behaviours())]));
}

export function dispatcherFor(world: World, { registries }: Pick<Shared, 'registries'>): Dispatcher {
  const registry = registries.get(world.product.model);
  if (registry === undefined) throw new Error(`no registry for pool ${world.id}`);
  return new Dispatcher(world, registry);
}

/** An empty one. */
export function newWorld(id: string, scenario: PoolScenario, shared: Shared): World {
  const { options, log, faults, guests, latency, site } = shared;
  const product = productOf(scenario);
  return new World({
    id,
    site,
    tls: scenario.tls ?? false,
    product,
    vendor: new Vendor(scenario.updates ?? offerFor(scenario.product)),
    user: scenario.user,
    password: scenario.password,
    // No two pools have an object of the same uuid.
    identities: new Identities(options.seed === undefined ? undefined : `${options.seed}/${id}`),
    derivations: derivationsIn(product.model, derivations),
    latency,
    faults,
    log,
    guests,
    guestSshPort: options.guestSshPort ?? 2222,
    onFault: reportFault,
  });
}

export async function startPool(id: string, scenario: PoolScenario, shared: Shared): Promise<Running> {
  const saved = shared.saved?.pools.find((pool) => pool.id === id);
  if (saved !== undefined) {
    const world = newWorld(id, scenario, shared);
    await restorePool(world, saved, shared.saved?.journal ?? []);
    const bound = await bindServers(world, dispatcherFor(world, shared), saved.addresses, saved.port);
    resumeMachines(world);
    return { world, bound, scenario };
  }
  return findAddresses(scenario.hosts.length, async (addresses) => {
    const world = newWorld(id, scenario, shared);
    buildPool(world, scenario, addresses);
    const bound = await bindServers(world, dispatcherFor(world, shared), addresses, shared.options.port ?? 0);
    if (shared.options.guests !== 'none') await bootGuests(world);
    return { world, bound, scenario };
  });
}

/** The guests of VMs that run from the beginning come up; those without an agent never said anything. */
async function bootGuests(world: World): Promise<void> {
  for (const [vm, { power_state: state, is_control_domain: isDomain0, guest_metrics: report }] of world.store.records(
    'VM',
  ))
    if (state === 'Running' && !isDomain0 && report !== nullRef) await bootGuest(world, vm, 0);
}
