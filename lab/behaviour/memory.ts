import type { Records } from '../model/records.ts';
import type { RecordValue } from '../model/types.ts';
import type { World } from '../world/world.ts';

const bytesPerMiB = 2 ** 20;

/**
 * What a VM needs beside its own memory: page tables for its vCPUs and twice its memory map, at 256 pages per MiB, and 2 MiB.
 * Fitted to what the genuine daemon reported (12 MiB for 1 GiB and 2 vCPUs; 7,204 MiB for 900 GiB).
 */
export function memoryOverheadBytes(vm: RecordValue): number {
  const pages = 256 * Number(vm['VCPUs_max']) + 2 * Math.ceil(Number(vm['memory_static_max']) / bytesPerMiB);
  return (2 + Math.ceil(pages / 256) * Number(vm['HVM_shadow_multiplier'])) * bytesPerMiB;
}

type Share = Pick<
  Records['VM'],
  'memory_static_min' | 'memory_static_max' | 'memory_dynamic_min' | 'memory_dynamic_max'
>;

/** A dynamic limit counts within the static ones, as the daemon reads it. */
const within = ({ memory_static_min: min, memory_static_max: max }: Share, bytes: number): number =>
  Math.min(Math.max(bytes, min), max);

/** What the host has beside what its VMs have of it, or are about to have. */
function leftBytes(world: World, host: string, shareBytes: (vm: Share) => number): number {
  const { memory_overhead: ownBytes, metrics, resident_VMs: residentVms } = world.store.get('host', host);
  let freeBytes = world.store.get('host_metrics', metrics).memory_total - ownBytes;
  for (const ref of new Set([...residentVms, ...(world.reserved.get(host) ?? [])])) {
    const vm = world.store.get('VM', ref);
    freeBytes -= shareBytes(vm) + vm.memory_overhead;
  }
  return freeBytes;
}

/** Memory of the host that nobody has, or is about to have. A full host gives its VMs less than their dynamic maximum. */
export const freeMemoryBytes = (world: World, host: string): number =>
  Math.max(
    0,
    leftBytes(world, host, (vm) => within(vm, vm.memory_dynamic_max)),
  );

/** Memory that would be free if every VM of the host had no more than its dynamic minimum. */
export const reclaimableMemoryBytes = (world: World, host: string): number =>
  leftBytes(world, host, (vm) => within(vm, vm.memory_dynamic_min));

/** Writes the free memory that the host reports. */
export function refreshFreeMemory(world: World, host: string): void {
  const { metrics } = world.store.get('host', host);
  world.store.update('host_metrics', metrics, { memory_free: freeMemoryBytes(world, host) });
}
