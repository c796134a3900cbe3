import type { CallFilter, CallRecord } from './call-log.ts';
import { CallLog } from './call-log.ts';
import type { WorldChange, WorldSnapshot } from './diff.ts';
import { diff, snapshot } from './diff.ts';
import type { BarrierSpec, FaultSpec } from './fault-spec.ts';
import type { Barrier, PlannedFault } from './faults.ts';
import { FaultPlan } from './faults.ts';
import { InProcessGuests } from './guests/guest.ts';
import { SilentGuests } from './guests/silent.ts';
import { NamespaceGuests } from './netns/namespace-guests.ts';
import type { LabHost } from './lab-host.ts';
import { findHost } from './lab-host.ts';
import { savePool } from './restore-pool.ts';
import { defaultPool } from './scenario.ts';
import { StateFile, readState } from './state-file.ts';
import type { Guests } from './world/guests.ts';
import { Latency } from './world/latency.ts';
import { World } from './world/world.ts';
import type { LabOptions, Running, Shared } from './start-pool.ts';
import { registriesFor, reportFault, startPool } from './start-pool.ts';

/** Of the reference: how often a pool looks for what has expired. */
const sweepMs = 30_000;

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
  /** As they are now: a pool's coordinator can change. */
  readonly pools: readonly LabPool[];
  /** The first pool's world. */
  readonly world: World;
  readonly worlds: readonly World[];
  /** Undefined when the guests are in-process ones. */
  readonly namespaces: NamespaceGuests | undefined;
  /** What everything that takes time is divided by; nothing in a lab without latencies. */
  readonly speed: number;
  /** Also for what is under way. Throws a RangeError unless it is above 0. */
  setSpeed(speed: number): void;
  /** The machine below a host's record, by the host's name. Throws when no pool has a host of that name. */
  host(name: string): LabHost;
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
  /** Official messages that are answered with NOT_IMPLEMENTED. */
  unmodelled(): string[];
  close(): Promise<void>;
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
  await Promise.all(running.map(({ world }) => world.machines.settled()));
  await Promise.all(running.flatMap(({ bound }) => bound.servers.map((server) => server.close())));
  await guests.close();
  file?.close();
}

/** Resolves when the lab closes. */
async function sweepRegularly(running: readonly Running[], latency: Latency, closing: AbortSignal): Promise<void> {
  try {
    for (;;) {
      await latency.spendTimeout(sweepMs, closing);
      for (const { world } of running) world.sweep(Date.now());
    }
  } catch (error) {
    if (!closing.aborted) reportFault(error);
  }
}

/** Starts a simulated data centre on loopback addresses. Rejects when a saved pool's addresses are taken by somebody else. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const log = new CallLog();
  const faults = new FaultPlan(options.seed);
  const onSshConnect = ({ vmUuid, user = '' }: { vmUuid: string; user?: string }) =>
    log.noteSshConnection(vmUuid, user);
  const namespaces =
    options.guests === 'namespaces' ? await NamespaceGuests.open({ onSshConnect, onFault: reportFault }) : undefined;
  const guests = namespaces ?? (options.guests === 'none' ? new SilentGuests() : new InProcessGuests({ onSshConnect }));
  const saved = options.stateFile === undefined ? undefined : await readState(options.stateFile);
  const scenarios = options.pools ?? [defaultPool()];
  const registries = registriesFor(scenarios);
  const latency = new Latency(options.latencies ?? 'zero', options.speed ?? 1000, options.latenciesMs);
  const shared: Shared = { options, registries, log, faults, latency, guests, saved };
  const running: Running[] = [];
  for (const scenario of scenarios) running.push(await startPool(scenario, shared));
  const file =
    options.stateFile === undefined ? undefined : await keepState(running, options.stateFile, (saved?.epoch ?? 0) + 1);
  const closing = new AbortController();
  void sweepRegularly(running, latency, closing.signal);
  const worlds = running.map(({ world }) => world);
  const [world] = worlds;
  if (world === undefined) throw new Error('a lab needs at least one pool');
  return {
    get pools() {
      return running.map(describePool);
    },
    get speed() {
      return latency.speed;
    },
    setSpeed: (speed) => latency.setSpeed(speed),
    world,
    worlds,
    namespaces,
    host: (name) => findHost(worlds, name),
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
    unmodelled: () => [...new Set([...registries.values()].flatMap((registry) => registry.unmodelled()))],
    close: async () => {
      closing.abort();
      faults.clear();
      await stop(running, guests, file);
    },
  };
}
