import type { World } from '../world/world.ts';
import { stopGuest } from './guest-lifecycle.ts';
import { haIsOn } from './ha-plan.ts';
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
    if (haIsOn(world)) await losePower(world, host);
    else if (coordinatorIsUp(world)) setLive(world, host, false);
  });
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
    } else if (coordinatorIsUp(world)) await recoverFromLosses(world);
    else electCoordinator(world);
  });
}
