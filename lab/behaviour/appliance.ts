import type { Call, Handlers } from '../dispatch/call.ts';
import type { World } from '../world/world.ts';
import { vmPower } from './vm-power.ts';

/** The appliance's VMs, those with the lowest order first. */
const membersOf = (world: World, appliance: string): string[] =>
  [...world.store.get('VM_appliance', appliance).VMs].sort(
    (a, b) => world.store.get('VM', a).order - world.store.get('VM', b).order,
  );

const isLive = (world: World, vm: string): boolean => world.store.get('VM', vm).power_state !== 'Halted';

async function stopAll(call: Call, appliance: string, how: 'clean_shutdown' | 'hard_shutdown' | 'shutdown') {
  for (const vm of membersOf(call.world, appliance).reverse())
    if (isLive(call.world, vm)) await vmPower[`VM.${how}`]?.(call, vm);
}

/** A VM_appliance starts and stops its VMs one after the other, in their order. */
export const applianceBehaviour: Handlers = {
  'VM_appliance.start': async (call, appliance, paused) => {
    for (const vm of membersOf(call.world, appliance))
      if (!isLive(call.world, vm)) await vmPower['VM.start']?.(call, vm, paused, false);
  },
  'VM_appliance.clean_shutdown': (call, appliance) => stopAll(call, appliance, 'clean_shutdown'),
  'VM_appliance.hard_shutdown': (call, appliance) => stopAll(call, appliance, 'hard_shutdown'),
  'VM_appliance.shutdown': (call, appliance) => stopAll(call, appliance, 'shutdown'),
};
