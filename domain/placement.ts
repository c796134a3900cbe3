import type { ReasonRow } from './errors.ts';

/** What the pool said about one host for the VM that is wanted. */
export interface HostFacts {
  readonly uuid: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly live: boolean;
  readonly freeMemoryBytes: number;
  readonly cpuCount: number;
  /** Uuids of the storage repositories with a plugged PBD on this host. */
  readonly srUuids: readonly string[];
  /** Uuids of the networks this host has a PIF on, or that are internal to it. */
  readonly networkUuids: readonly string[];
}

export interface VmDemand {
  readonly memoryBytes: number;
  readonly vcpus: number;
  readonly srs: readonly { readonly uuid: string; readonly name: string }[];
  readonly networks: readonly { readonly uuid: string; readonly name: string }[];
}

export type PlacementDecision =
  | { readonly host: HostFacts; readonly reason: string }
  | { readonly host: undefined; readonly reasons: readonly ReasonRow[] };

const MIB = 1024 * 1024;

/**
 * Chooses the host with the most free memory among those that can take the VM (spreads the load, keeps the largest
 * gap small; ties go to the lower name so that the same facts always give the same answer).
 * Without one, says per host why not, in the order in which XAPI itself checks: live, enabled, storage, network, memory, CPUs.
 */
export function placeVm(demand: VmDemand, hosts: readonly HostFacts[]): PlacementDecision {
  const judged = hosts.map((host) => ({ host, reason: whyNot(demand, host) }));
  const fit = judged.filter((one) => one.reason === undefined).map((one) => one.host);
  const best = [...fit].sort((a, b) => b.freeMemoryBytes - a.freeMemoryBytes || (a.name < b.name ? -1 : 1))[0];
  if (best === undefined) {
    return {
      host: undefined,
      reasons: judged.map(({ host, reason }) => ({ object: host.name, reason: reason ?? '' })),
    };
  }
  return {
    host: best,
    reason: `most free memory (${toMib(best.freeMemoryBytes)} MiB) of ${fit.length} hosts that fit`,
  };
}

function whyNot(demand: VmDemand, host: HostFacts): string | undefined {
  if (!host.live) return 'not live (down, rebooting or cut off)';
  if (!host.enabled) return 'disabled (maintenance)';
  const sr = demand.srs.find((one) => !host.srUuids.includes(one.uuid));
  if (sr !== undefined) return `does not see storage ${sr.name}`;
  const network = demand.networks.find((one) => !host.networkUuids.includes(one.uuid));
  if (network !== undefined) return `is not on network ${network.name}`;
  if (host.freeMemoryBytes < demand.memoryBytes) {
    return `${toMib(host.freeMemoryBytes)} MiB free of ${toMib(demand.memoryBytes)} MiB needed`;
  }
  if (host.cpuCount < demand.vcpus) return `${host.cpuCount} CPUs, ${demand.vcpus} vCPUs asked for`;
  return undefined;
}

function toMib(bytes: number): number {
  return Math.floor(bytes / MIB);
}
