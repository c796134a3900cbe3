import type { World } from '../world/world.ts';
import { stopGuest } from './guest-lifecycle.ts';
import { guestsOn } from './host-support.ts';
import { takeDown } from './vm-power.ts';

/** What the pool's records say of the VMs of a host that is empty now. Answers which VMs these are. */
export async function haltGuests(world: World, host: string): Promise<string[]> {
  const vms = guestsOn(world, host);
  for (const vm of vms) {
    await stopGuest(world, vm);
    takeDown(world, vm, 'Halted');
  }
  return vms;
}
