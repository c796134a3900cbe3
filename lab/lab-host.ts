import { powerOn } from './behaviour/host-lifecycle.ts';
import { losePower } from './behaviour/host-loss.ts';
import type { BootPlan, Power, Toolstack } from './world/machines.ts';
import type { World } from './world/world.ts';

/** A host as somebody who stands before the machine has it in hand. */
export interface LabHost {
  /** On: it runs. Rebooting and restarting: it, or its toolstack, is on its way back. */
  readonly power: Power;
  readonly toolstack: Toolstack;
  /** Power loss, at once. The host stays off; the pool notices when it misses the heartbeats. */
  losePower(): Promise<void>;
  /** Switches it on if it is off. */
  powerOn(): void;
  /** How its next boot goes; the boots after it are ordinary ones again. */
  planBoot(plan: BootPlan): void;
}

/** Throws when no pool has a host of that name. */
export function findHost(worlds: readonly World[], name: string): LabHost {
  for (const world of worlds) {
    const [host] = world.store.byName('host', name);
    if (host === undefined) continue;
    const machine = world.machines.of(host);
    return {
      get power() {
        return machine.power;
      },
      get toolstack() {
        return machine.toolstack;
      },
      losePower: () => losePower(world, host),
      powerOn: () => {
        if (machine.power === 'off') powerOn(world, host);
      },
      planBoot: (plan) => {
        machine.bootPlan = plan;
      },
    };
  }
  throw new Error(`no host of this lab is named ${name}`);
}
