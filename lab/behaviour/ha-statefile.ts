import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { haIsOn } from './ha-plan.ts';
import { alertAbout } from './host-support.ts';

/** While it is there, no host reaches the disk over which the hosts tell each other that they live. */
const lostNote = 'ha-statefile-lost';

export const statefileIsLost = (world: World): boolean => world.note(lostNote) !== undefined;

/** Hosts that still hear each other by the network live on without it, warned; see `recoverFromLosses` for what comes of one that falls silent. */
export function loseStatefile(world: World): void {
  world.setNote(lostNote, '');
  if (!haIsOn(world)) return;
  for (const host of world.store.refs('host'))
    if (world.machines.of(host).toolstack === 'up') alertAbout(world, 'HA_STATEFILE_LOST', host);
}

export const findStatefile = (world: World): void => world.setNote(lostNote, null);

/** Whether the host takes part in high availability: it fences itself rather than run a VM that another may have started. */
export const isArmed = (world: World, host: string): boolean =>
  haIsOn(world) && world.machines.of(host).disarmed === undefined;

/** Throws HA_NOT_ENABLED on a host that takes no part, unless it is asked to until its next boot only. */
export function disarm(world: World, host: string, soft: boolean): void {
  if (!isArmed(world, host) && !soft) throw new XapiError('HA_NOT_ENABLED');
  world.machines.of(host).disarmed = soft ? 'until reboot' : 'for good';
}

/** A host that is armed does not start without the disk that tells it who lives: it waits, in emergency mode. */
export const waitsForStatefile = (world: World, host: string): boolean =>
  isArmed(world, host) && statefileIsLost(world);
