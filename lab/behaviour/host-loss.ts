import type { World } from '../world/world.ts';
import { stopGuest } from './guest-lifecycle.ts';
import { haIsOn } from './ha-plan.ts';
import { isArmed, statefileIsLost } from './ha-statefile.ts';
import { coordinatorIsUp, recoverFromLosses, stopToolstack, whenUnheard } from './host-lifecycle.ts';
import { guestsOn, setLive } from './host-support.ts';
import { takeOver } from './pool-role.ts';

/** The members that hear each other agree on the first one that runs; enabled ones go before. */
function electCoordinator(world: World): void {
  const running = world.store
    .refs('host')
    .filter((host) => ['up', 'emergency'].includes(world.machines.of(host).toolstack));
  const [next = running[0]] = running.filter((host) => world.store.get('host', host).enabled);
  if (next !== undefined) takeOver(world, next, 'agentStopDelay');
}

/** The host's daemon is gone, its VMs run on. Missed by its pool, it is taken for dead, or fenced where that is to be trusted. */
export async function loseToolstack(world: World, host: string): Promise<void> {
  const signal = world.machines.of(host).begin();
  await stopToolstack(world, host);
  whenUnheard(world, signal, async () => {
    if (isArmed(world, host)) await losePower(world, host);
    else if (coordinatorIsUp(world)) setLive(world, host, false);
  });
}

/**
 * Without the disk that tells who lives, the rest cannot know whether the silent host still runs its VMs: each host that is
 * armed fences itself, so that none is started twice.
 */
async function fenceAll(world: World): Promise<void> {
  for (const host of world.store.refs('host'))
    if (isArmed(world, host) && world.machines.of(host).toolstack === 'up') await losePower(world, host);
}

/** Power loss: no port, no guests, at once, while the pool's records say otherwise until it misses the heartbeats. */
export async function losePower(world: World, host: string): Promise<void> {
  const signal = world.machines.of(host).begin();
  world.machines.set(host, { power: 'off' });
  await stopToolstack(world, host);
  await Promise.all(guestsOn(world, host).map((vm) => stopGuest(world, vm)));
  whenUnheard(world, signal, async () => {
    if (!haIsOn(world)) {
      if (coordinatorIsUp(world)) setLive(world, host, false);
    } else if (statefileIsLost(world)) await fenceAll(world);
    else if (coordinatorIsUp(world)) await recoverFromLosses(world);
    else electCoordinator(world);
  });
}
