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
import { allHosts, findHost, strike } from './lab-host.ts';
import type { LabPool } from './pools.ts';
import { Pools } from './pools.ts';
import { defaultPool } from './scenario.ts';
import type { LabOptions } from './start-pool.ts';
import { registriesFor, reportFault } from './start-pool.ts';
import { readState } from './state-file.ts';
import { Latency } from './world/latency.ts';
import type { World } from './world/world.ts';

/** Of the reference: how often a pool looks for what has expired. */
const sweepMs = 30_000;

export interface Lab {
  /** As they are now: a pool's coordinator can change, a pool can join another, a host can be ejected into one of its own. */
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
  /** The machines of all pools. */
  readonly hosts: readonly LabHost[];
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

/** Resolves when the lab closes. */
async function sweepRegularly(pools: Pools, latency: Latency, closing: AbortSignal): Promise<void> {
  try {
    for (;;) {
      await latency.spendTimeout(sweepMs, closing);
      for (const world of pools.worlds) world.sweep(Date.now());
    }
  } catch (error) {
    if (!closing.aborted) reportFault(error);
  }
}

/** Starts a simulated data centre on loopback addresses. Rejects when a saved pool's addresses are taken by somebody else. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const log = new CallLog();
  const onSshConnect = ({ vmUuid, user = '' }: { vmUuid: string; user?: string }) =>
    log.noteSshConnection(vmUuid, user);
  const namespaces =
    options.guests === 'namespaces' ? await NamespaceGuests.open({ onSshConnect, onFault: reportFault }) : undefined;
  const guests = namespaces ?? (options.guests === 'none' ? new SilentGuests() : new InProcessGuests({ onSshConnect }));
  const saved = options.stateFile === undefined ? undefined : await readState(options.stateFile);
  const scenarios = options.pools ?? [defaultPool()];
  const registries = registriesFor(scenarios);
  const latency = new Latency(options.latencies ?? 'zero', options.speed ?? 1000, options.latenciesMs);
  const faults = new FaultPlan(options.seed, (fault, target) => strike(pools.worlds, fault, target));
  const pools: Pools = new Pools({ options, registries, log, faults, latency, guests, saved });
  await pools.start(scenarios);
  const closing = new AbortController();
  void sweepRegularly(pools, latency, closing.signal);
  const [world] = pools.worlds;
  if (world === undefined) throw new Error('a lab needs at least one pool');
  return {
    get pools() {
      return pools.describe();
    },
    get speed() {
      return latency.speed;
    },
    setSpeed: (speed) => latency.setSpeed(speed),
    world,
    get worlds() {
      return pools.worlds;
    },
    namespaces,
    get hosts() {
      return allHosts(pools.worlds);
    },
    host: (name) => findHost(pools.worlds, name),
    snapshot: () => snapshot(pools.worlds),
    diff: (before) => diff(before, snapshot(pools.worlds)),
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
      await pools.close();
      await guests.close();
    },
  };
}
