import type { Handlers } from '../dispatch/call.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { reclaimableMemoryBytes, refreshFreeMemory } from './memory.ts';
import { statesFor } from './vm-states.ts';
import { assertVmCan } from './vm-support.ts';

interface MemoryLimits {
  readonly memory_static_min: number;
  readonly memory_static_max: number;
  readonly memory_dynamic_min: number;
  readonly memory_dynamic_max: number;
}

const assertCanChange = (world: World, vm: string, name: string): void =>
  assertVmCan(world, vm, { name, states: statesFor(name), isLocal: true });

function operationFor(change: Partial<MemoryLimits>): string {
  const [isStatic, isDynamic] = ['static', 'dynamic'].map((kind) =>
    Object.keys(change).some((key) => key.includes(kind)),
  );
  if (isStatic && isDynamic) return 'changing_memory_limits';
  return isStatic ? 'changing_static_range' : 'changing_dynamic_range';
}

/**
 * Bytes. Throws MEMORY_CONSTRAINT_VIOLATION_ORDER unless static min ≤ dynamic min ≤ dynamic max ≤ static max, and
 * HOST_NOT_ENOUGH_FREE_MEMORY where a running VM is promised more than its host can free.
 */
function setLimits(world: World, vm: string, change: Partial<MemoryLimits>): void {
  assertCanChange(world, vm, operationFor(change));
  const limits = { ...world.store.get('VM', vm), ...change };
  const order = [
    limits.memory_static_min,
    limits.memory_dynamic_min,
    limits.memory_dynamic_max,
    limits.memory_static_max,
  ];
  const inOrder = order.every((bytes, at) => at === 0 || (order[at - 1] ?? 0) <= bytes);
  if (!inOrder) throw new XapiError('MEMORY_CONSTRAINT_VIOLATION_ORDER');
  const { resident_on: host, memory_dynamic_min: keptBytes } = world.store.get('VM', vm);
  if (host === nullRef) return world.store.update('VM', vm, change);
  const [needed, free] = [limits.memory_dynamic_min - keptBytes, reclaimableMemoryBytes(world, host)];
  if (needed > free) throw new XapiError('HOST_NOT_ENOUGH_FREE_MEMORY', String(needed), String(free));
  world.store.update('VM', vm, change);
  refreshFreeMemory(world, host);
}

function assertVcpus(atStartup: number, max: number, given: number): void {
  if (atStartup > 0 && atStartup <= max) return;
  throw new XapiError('INVALID_VALUE', 'VCPU values must satisfy: 0 < VCPUs_at_startup ≤ VCPUs_max', String(given));
}

/** As OCaml writes it: `1.` for 1. */
const ocamlFloat = (value: number): string => (Number.isInteger(value) ? `${value}.` : String(value));

/** Throws INVALID_VALUE for less than the memory that a guest needs anyway. */
export function assertShadowMultiplier(multiplier: number): void {
  if (multiplier < 1) throw new XapiError('INVALID_VALUE', 'multiplier', ocamlFloat(multiplier));
}

export const vmLimits: Handlers = {
  'VM.set_HVM_shadow_multiplier': ({ world }, vm, multiplier) => {
    assertCanChange(world, vm, 'changing_shadow_memory');
    assertShadowMultiplier(multiplier);
    world.store.update('VM', vm, { HVM_shadow_multiplier: multiplier });
  },

  'VM.set_memory_limits': ({ world }, vm, staticMin, staticMax, dynamicMin, dynamicMax) =>
    setLimits(world, vm, {
      memory_static_min: staticMin,
      memory_static_max: staticMax,
      memory_dynamic_min: dynamicMin,
      memory_dynamic_max: dynamicMax,
    }),
  'VM.set_memory': ({ world }, vm, bytes) =>
    setLimits(world, vm, { memory_static_max: bytes, memory_dynamic_min: bytes, memory_dynamic_max: bytes }),
  'VM.set_memory_static_range': ({ world }, vm, min, max) =>
    setLimits(world, vm, { memory_static_min: min, memory_static_max: max }),
  'VM.set_memory_dynamic_range': ({ world }, vm, min, max) =>
    setLimits(world, vm, { memory_dynamic_min: min, memory_dynamic_max: max }),
  'VM.set_memory_static_min': ({ world }, vm, bytes) => setLimits(world, vm, { memory_static_min: bytes }),
  'VM.set_memory_static_max': ({ world }, vm, bytes) => setLimits(world, vm, { memory_static_max: bytes }),
  'VM.set_memory_dynamic_min': ({ world }, vm, bytes) => setLimits(world, vm, { memory_dynamic_min: bytes }),
  'VM.set_memory_dynamic_max': ({ world }, vm, bytes) => setLimits(world, vm, { memory_dynamic_max: bytes }),

  'VM.set_VCPUs_max': ({ world }, vm, count) => {
    assertCanChange(world, vm, 'changing_VCPUs');
    assertVcpus(world.store.get('VM', vm).VCPUs_at_startup, count, count);
    world.store.update('VM', vm, { VCPUs_max: count });
  },
  'VM.set_VCPUs_at_startup': ({ world }, vm, count) => {
    assertCanChange(world, vm, 'changing_VCPUs');
    assertVcpus(count, world.store.get('VM', vm).VCPUs_max, count);
    world.store.update('VM', vm, { VCPUs_at_startup: count });
  },
};
