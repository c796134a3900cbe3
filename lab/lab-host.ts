import { setTimeout as sleep } from 'node:timers/promises';
import { findStatefile, loseStatefile } from './behaviour/ha-statefile.ts';
import { powerOn, restartToolstackLater } from './behaviour/host-lifecycle.ts';
import { losePower, loseToolstack } from './behaviour/host-loss.ts';
import type { Blow, Downfall } from './fault-spec.ts';
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

interface Dealt {
  readonly world: World;
  readonly begin: () => void | Promise<void>;
  readonly end: () => void;
}

/** What the fault does now, and what ends it. A fault that means no host, or no pool, does nothing. */
function blowOf(worlds: readonly World[], fault: Blow, target: Target): Dealt | undefined {
  if (fault.kind === 'statefile-lost') {
    const world = worlds.find(({ id }) => id === target.pool);
    if (world === undefined) return undefined;
    return { world, begin: () => loseStatefile(world), end: () => findStatefile(world) };
  }
  const victim = victimOf(worlds, fault, target);
  if (victim === undefined) return undefined;
  const { world, host } = victim;
  const fall = fault.kind === 'host-dead' ? losePower : loseToolstack;
  return { world, begin: () => fall(world, host), end: () => handle(victim).powerOn() };
}

/** Begins at once, and ends when the fault says so. */
export function strike(worlds: readonly World[], fault: Blow, target: Target): void {
  const blow = blowOf(worlds, fault, target);
  if (blow === undefined) return;
  const { world, begin, end } = blow;
  world.machines.run(async () => {
    await begin();
    if (fault.forMs === undefined) return;
    await sleep(fault.forMs, undefined, { signal: world.closing.signal });
    end();
  });
}
