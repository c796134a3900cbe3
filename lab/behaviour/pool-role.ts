import type { Handlers } from '../dispatch/call.ts';
import type { Place } from '../world/site.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { assertHaOff } from './ha-plan.ts';
import { isArmed } from './ha-statefile.ts';
import { restartToolstackLater } from './host-lifecycle.ts';
import { assertHostReachable } from './host-support.ts';

/** The role moves while the new coordinator's toolstack is down; the old one, if it runs, comes back as a member. */
function promote(world: World, host: string): Place {
  const { ref, master: before } = world.pool;
  world.sessions.forget(before, true);
  world.endLife();
  world.store.update('pool', ref, { master: host });
  if (world.machines.of(before).toolstack === 'up') restartToolstackLater(world, before, 'agentStopDelay');
  return { world, host };
}

/** A host becomes the coordinator as soon as its toolstack has been started again. */
export function takeOver(world: World, host: string, after: 'roleChangeDelay' | 'agentStopDelay'): void {
  restartToolstackLater(world, host, after, () => promote(world, host));
}

/** High availability gives the role away itself. Throws HA_IS_ENABLED on a host that takes part in it. */
function assertDisarmed(world: World, host: string): void {
  if (isArmed(world, host)) throw new XapiError('HA_IS_ENABLED');
}

function designate(world: World, host: string): void {
  assertHaOff(world);
  if (host === world.pool.master) return;
  assertHostReachable(world, host);
  takeOver(world, host, 'agentStopDelay');
}

/** The members in emergency mode are told who their coordinator is. */
function recoverMembers(world: World): string[] {
  const lost = world.store.refs('host').filter((host) => world.machines.of(host).toolstack === 'emergency');
  for (const host of lost) {
    world.machines.of(host).coordinatorAddress = undefined;
    restartToolstackLater(world, host, 'agentStopDelay');
  }
  return lost;
}

export const poolRole: Handlers = {
  'pool.designate_new_master': ({ world }, host) => designate(world, host),
  'pool.emergency_transition_to_master': ({ world, host }) => {
    assertDisarmed(world, host);
    if (host !== world.pool.master) takeOver(world, host, 'roleChangeDelay');
  },
  'pool.emergency_reset_master': ({ world, host }, address) => {
    assertDisarmed(world, host);
    if (host === world.pool.master) return;
    world.machines.of(host).coordinatorAddress = address;
    restartToolstackLater(world, host, 'roleChangeDelay');
  },
  'pool.recover_slaves': ({ world }) => recoverMembers(world),
};
