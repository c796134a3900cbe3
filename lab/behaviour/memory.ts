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

/** Memory of the host that nobody has, or is about to have. */
export function freeMemoryBytes(world: World, host: string): number {
  const { memory_overhead: ownBytes, metrics, resident_VMs: residentVms } = world.store.get('host', host);
  let freeBytes = world.store.get('host_metrics', metrics).memory_total - ownBytes;
  for (const ref of new Set([...residentVms, ...(world.reserved.get(host) ?? [])])) {
    const vm = world.store.get('VM', ref);
    freeBytes -= vm.memory_dynamic_max + vm.memory_overhead;
  }
  return freeBytes;
}

/** Writes the free memory that the host reports. */
export function refreshFreeMemory(world: World, host: string): void {
  const { metrics } = world.store.get('host', host);
  world.store.update('host_metrics', metrics, { memory_free: freeMemoryBytes(world, host) });
}
