import type { Handlers } from '../dispatch/call.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { freeMemoryBytes } from './memory.ts';
import { vdisOf } from './vm-support.ts';

function assertHostUsable(world: World, host: string): void {
  const { enabled, metrics } = world.store.get('host', host);
  if (!world.store.get('host_metrics', metrics).live) throw new XapiError('HOST_NOT_LIVE');
  if (!enabled) throw new XapiError('HOST_DISABLED', host);
}

function assertSeesStorage(world: World, vm: string, host: string): void {
  for (const { vdi } of vdisOf(world, vm)) {
    const { SR: sr } = world.store.get('VDI', vdi);
    const plugged = world.store
      .get('SR', sr)
      .PBDs.map((ref) => world.store.get('PBD', ref))
      .some((pbd) => pbd.host === host && pbd.currently_attached);
    if (!plugged) throw new XapiError('VM_REQUIRES_SR', vm, sr);
  }
}

/** A network without any interface is internal and exists wherever it is needed. */
function assertSeesNetworks(world: World, vm: string, host: string): void {
  for (const vif of world.store.get('VM', vm).VIFs) {
    const { network } = world.store.get('VIF', vif);
    const pifs = (world.store.find('network', network)?.PIFs ?? []).map((ref) => world.store.get('PIF', ref));
    if (pifs.length > 0 && !pifs.some((pif) => pif.host === host && pif.currently_attached)) {
      throw new XapiError('VM_REQUIRES_NETWORK', vm, network);
    }
  }
}

function assertHasRoom(world: World, vm: string, host: string): void {
  const {
    memory_static_max: memoryBytes,
    memory_overhead: overheadBytes,
    VCPUs_max: vcpus,
  } = world.store.get('VM', vm);
  const [needed, free] = [memoryBytes + overheadBytes, freeMemoryBytes(world, host)];
  if (needed > free) throw new XapiError('HOST_NOT_ENOUGH_FREE_MEMORY', String(needed), String(free));
  const pcpus = world.store.get('host', host).host_CPUs.length;
  if (vcpus > pcpus) throw new XapiError('HOST_NOT_ENOUGH_PCPUS', String(vcpus), String(pcpus));
}

/** Throws the first reason, in the genuine order: host live, enabled, storage, networks, memory, CPUs. */
export function assertCanBootHere(world: World, vm: string, host: string): void {
  assertHostUsable(world, host);
  assertSeesStorage(world, vm, host);
  assertSeesNetworks(world, vm, host);
  assertHasRoom(world, vm, host);
}

function possibleHosts(world: World, vm: string): string[] {
  return world.store.refs('host').filter((host) => {
    try {
      assertCanBootHere(world, vm, host);
      return true;
    } catch (error) {
      if (error instanceof XapiError) return false;
      throw error;
    }
  });
}

/** The VM's own host of choice if it fits there, else the one with the most free memory. Throws NO_HOSTS_AVAILABLE. */
export function chooseHost(world: World, vm: string): string {
  const { affinity } = world.store.get('VM', vm);
  const fitting = possibleHosts(world, vm);
  if (affinity !== nullRef && fitting.includes(affinity)) return affinity;
  const [best] = fitting.map((host) => ({ host, free: freeMemoryBytes(world, host) })).sort((a, b) => b.free - a.free);
  if (best === undefined) throw new XapiError('NO_HOSTS_AVAILABLE');
  return best.host;
}

export const placement: Handlers = {
  'VM.assert_can_boot_here': ({ world }, vm, host) => assertCanBootHere(world, vm, host),
  'VM.get_possible_hosts': ({ world }, vm) => possibleHosts(world, vm),
  'VM.compute_memory_overhead': ({ world }, vm) => world.store.get('VM', vm).memory_overhead,
  'host.compute_free_memory': ({ world }, host) => freeMemoryBytes(world, host),
  'host.compute_memory_overhead': ({ world }, host) => world.store.get('host', host).memory_overhead,
};
