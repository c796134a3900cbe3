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

export const seesSr = (world: World, host: string, sr: string): boolean =>
  world.store
    .get('SR', sr)
    .PBDs.map((ref) => world.store.get('PBD', ref))
    .some((pbd) => pbd.host === host && pbd.currently_attached);

function assertSeesStorage(world: World, vm: string, host: string): void {
  for (const { vdi } of vdisOf(world, vm)) {
    const { SR: sr } = world.store.get('VDI', vdi);
    if (!seesSr(world, host, sr)) throw new XapiError('VM_REQUIRES_SR', vm, sr);
  }
}

/** A network without any interface is internal and exists wherever it is needed. */
export function seesNetwork(world: World, host: string, network: string): boolean {
  const pifs = (world.store.find('network', network)?.PIFs ?? []).map((ref) => world.store.get('PIF', ref));
  return pifs.length === 0 || pifs.some((pif) => pif.host === host && pif.currently_attached);
}

function assertSeesNetworks(world: World, vm: string, host: string): void {
  for (const vif of world.store.get('VM', vm).VIFs) {
    const { network } = world.store.get('VIF', vif);
    if (!seesNetwork(world, host, network)) throw new XapiError('VM_REQUIRES_NETWORK', vm, network);
  }
}

/** The PCI ids that a VM is to get: `other_config:pci` holds `0/0000:04:00.0,0/0000:04:00.1`. */
const wantedPciIds = (world: World, vm: string): string[] =>
  (world.store.get('VM', vm).other_config['pci'] ?? '')
    .split(',')
    .map((item) => item.replace(/^\d+\//, ''))
    .filter((id) => id !== '');

/** The host's PCI devices that the VM is to get. */
export const pcisFor = (world: World, vm: string, host: string): string[] => {
  const wanted = new Set(wantedPciIds(world, vm));
  return wanted.size === 0
    ? []
    : world.store.get('host', host).PCIs.filter((pci) => wanted.has(world.store.get('PCI', pci).pci_id));
};

function assertHasDevices(world: World, vm: string, host: string): void {
  if (pcisFor(world, vm, host).length < wantedPciIds(world, vm).length) throw new XapiError('VM_REQUIRES_IOMMU', host);
  for (const ref of world.store.get('VM', vm).VGPUs) {
    const { GPU_group: group } = world.store.get('VGPU', ref);
    const fits = world.store.get('host', host).PGPUs.some((pgpu) => world.store.get('PGPU', pgpu).GPU_group === group);
    if (!fits) throw new XapiError('VM_REQUIRES_GPU', vm, group);
  }
}

/** Bytes that the VM takes of a host: all of its memory when it starts, what it has now when it comes running. */
export function neededMemoryBytes(world: World, vm: string): number {
  const {
    power_state: state,
    memory_static_max: all,
    memory_dynamic_max: now,
    memory_overhead: overhead,
  } = world.store.get('VM', vm);
  return (state === 'Running' ? now : all) + overhead;
}

function assertHasMemory(world: World, vm: string, host: string): void {
  const { resident_on: home, memory_static_min: least, memory_static_max: most } = world.store.get('VM', vm);
  if (least > most) throw new XapiError('MEMORY_CONSTRAINT_VIOLATION');
  const [needed, free] = [neededMemoryBytes(world, vm), freeMemoryBytes(world, host)];
  if (home !== host && needed > free) throw new XapiError('HOST_NOT_ENOUGH_FREE_MEMORY', String(needed), String(free));
}

function assertHasCpus(world: World, vm: string, host: string): void {
  const { VCPUs_max: vcpus } = world.store.get('VM', vm);
  const pcpus = world.store.get('host', host).host_CPUs.length;
  if (vcpus > pcpus) throw new XapiError('HOST_NOT_ENOUGH_PCPUS', String(vcpus), String(pcpus));
}

/** Throws the first reason, in the genuine order: host live, enabled, storage, networks, devices, memory, CPUs. */
export function assertCanBootHere(
  world: World,
  vm: string,
  host: string,
  { memory = true, storage = true } = {},
): void {
  assertHostUsable(world, host);
  if (storage) assertSeesStorage(world, vm, host);
  assertSeesNetworks(world, vm, host);
  assertHasDevices(world, vm, host);
  if (memory) assertHasMemory(world, vm, host);
  assertHasCpus(world, vm, host);
}

/** Nothing comes to a host that is being emptied. Throws HOST_EVACUATE_IN_PROGRESS. */
export function assertNotBeingEvacuated(world: World, host: string): void {
  const { current_operations: current } = world.store.get('host', host);
  if (Object.values(current).includes('evacuate')) throw new XapiError('HOST_EVACUATE_IN_PROGRESS', host);
}

/** The reason that `check` throws, if it does. */
export function refusalOf(check: () => void): readonly string[] | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof XapiError) return error.description;
    throw error;
  }
}

/** The VM's group whose members keep apart, if it is in one. */
const apartFrom = (world: World, vm: string): readonly string[] =>
  world.store
    .get('VM', vm)
    .groups.filter((group) => group !== nullRef && world.store.find('VM_group', group)?.placement === 'anti_affinity')
    .flatMap((group) => world.store.get('VM_group', group).VMs);

/** How many VMs that the VM is to keep apart from are on the host, or on their way to it; `moved` says where they are meant to be. */
export function neighboursOn(
  world: World,
  vm: string,
  host: string,
  moved: ReadonlyMap<string, string> = new Map(),
): number {
  return apartFrom(world, vm).filter((other) => {
    const { resident_on: home, scheduled_to_be_resident_on: destination } = world.store.get('VM', other);
    const there = moved.get(other) ?? (destination === nullRef ? home : destination);
    return other !== vm && there === host;
  }).length;
}
