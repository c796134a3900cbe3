import type { Call } from '../dispatch/call.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { assertNotBeingEvacuated } from './boot-checks.ts';
import { refreshFreeMemory } from './memory.ts';

function reserve(world: World, vm: string, host: string): void {
  world.store.update('VM', vm, { scheduled_to_be_resident_on: host });
  world.reserved.set(host, (world.reserved.get(host) ?? new Set()).add(vm));
}

function release(world: World, vm: string, host: string): void {
  world.reserved.get(host)?.delete(vm);
  if (world.store.find('VM', vm) !== undefined) world.store.update('VM', vm, { scheduled_to_be_resident_on: nullRef });
}

/**
 * Takes the VM's memory from the host as soon as it is chosen, so that two VMs never share it, and shows on the host what is
 * going on there until `work` has ended. A host that is being restarted or emptied is waited for.
 */
export async function withRoomOn<T>(
  call: Call,
  vm: string,
  host: string,
  name: 'vm_start' | 'vm_resume' | 'vm_migrate',
  work: () => Promise<T>,
): Promise<T> {
  const { world } = call;
  reserve(world, vm, host);
  try {
    const check = () => assertNotBeingEvacuated(world, host);
    const operation = { cls: 'host', ref: host, name, id: call.operationId, signal: call.signal, check } as const;
    return await world.operations.run(operation, call.cancel, work);
  } finally {
    release(world, vm, host);
    refreshFreeMemory(world, host);
  }
}
