import { setTimeout as sleep } from 'node:timers/promises';
import { powerOn, restartToolstackLater } from './behaviour/host-lifecycle.ts';
import { losePower, loseToolstack } from './behaviour/host-loss.ts';
import type { Downfall } from './fault-spec.ts';
import type { Target } from './faults.ts';
import type { Power, Toolstack } from './world/machines.ts';
import type { Place } from './world/site.ts';
import type { World } from './world/world.ts';

/** A host as somebody who stands before the machine has it in hand. */
export interface LabHost {
  readonly name: string;
  readonly pool: string;
  /** On: it runs. Rebooting and restarting: it, or its toolstack, is on its way back. */
  readonly power: Power;
  readonly toolstack: Toolstack;
  /** Power loss, at once. The host stays off; the pool notices when it misses the heartbeats. */
  losePower(): Promise<void>;
  /** Makes it run: switches it on if it is off, starts its toolstack if that is down. */
  powerOn(): void;
}

function handle({ world, host }: Place): LabHost {
  const machine = world.machines.of(host);
  return {
    name: world.store.get('host', host).name_label,
    pool: world.id,
    get power() {
      return machine.power;
    },
    get toolstack() {
      return machine.toolstack;
    },
    losePower: () => losePower(world, host),
    powerOn: () => {
      if (machine.power === 'off') powerOn(world, host);
      else if (machine.power === 'on' && machine.toolstack === 'down')
        restartToolstackLater(world, host, 'agentStopDelay');
    },
  };
}

function placesOf(worlds: readonly World[]): Place[] {
  return worlds.flatMap((world) => world.store.refs('host').map((host) => ({ world, host })));
}

/** Whether one of the words is what a host may be called by. */
function isCalled({ world, host }: Place, words: ReadonlySet<string>): boolean {
  const { name_label: name, uuid, address } = world.store.get('host', host);
  return [host, name, uuid, address].some((word) => words.has(word));
}

export const allHosts = (worlds: readonly World[]): LabHost[] => placesOf(worlds).map(handle);

/** Throws when no pool has a host of that name. */
export function findHost(worlds: readonly World[], name: string): LabHost {
  const found = allHosts(worlds).find((host) => host.name === name);
  if (found === undefined) throw new Error(`no host of this lab is named ${name}`);
  return found;
}

/** The host that a fault takes down: the one that it names, the one that the call is about, the one on which it happens. */
function victimOf(worlds: readonly World[], { victim }: Downfall, target: Target): Place | undefined {
  const places = placesOf(worlds);
  const called = (words: ReadonlySet<string>) => places.find((place) => isCalled(place, words));
  return victim === undefined
    ? (called(target.objects) ?? called(target.host ?? new Set()))
    : called(new Set([victim]));
}

/** Takes the host down, and makes it run again when the fault says so. A fault that means no host takes none down. */
export function strike(worlds: readonly World[], fault: Downfall, target: Target): void {
  const victim = victimOf(worlds, fault, target);
  if (victim === undefined) return;
  const { world, host } = victim;
  world.machines.run(async () => {
    await (fault.kind === 'host-dead' ? losePower(world, host) : loseToolstack(world, host));
    if (fault.forMs === undefined) return;
    await sleep(fault.forMs, undefined, { signal: world.closing.signal });
    handle(victim).powerOn();
  });
}
