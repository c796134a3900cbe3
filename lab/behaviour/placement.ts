import type { Handlers } from '../dispatch/call.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { assertCanBootHere, assertNotBeingEvacuated, neighboursOn, refusalOf } from './boot-checks.ts';
import { freeMemoryBytes } from './memory.ts';
import { assertNewest } from './versions.ts';

/** Throws the first reason why the VM cannot be brought up on the host. */
export function assertCanStartOn(world: World, vm: string, host: string): void {
  assertNotBeingEvacuated(world, host);
  assertNewest(world, vm, host);
  assertCanBootHere(world, vm, host);
}

const hostsThat = (world: World, check: (host: string) => void): string[] =>
  world.store.refs('host').filter((host) => refusalOf(() => check(host)) === undefined);

/**
 * The VM's own host of choice if it fits there; else the one with the fewest VMs that it is to keep apart from, and of these
 * the one with the most free memory. Throws NO_HOSTS_AVAILABLE.
 */
export const chooseHost = (world: World, vm: string): string =>
  chooseHostThat(world, vm, (host) => assertCanStartOn(world, vm, host));

/** As `chooseHost`, among the hosts that the check does not throw for. */
export function chooseHostThat(world: World, vm: string, check: (host: string) => void): string {
  const { affinity } = world.store.get('VM', vm);
  const fitting = hostsThat(world, check);
  if (affinity !== nullRef && fitting.includes(affinity)) return affinity;
  const [best] = fitting
    .map((host) => ({ host, neighbours: neighboursOn(world, vm, host), free: freeMemoryBytes(world, host) }))
    .sort((a, b) => a.neighbours - b.neighbours || b.free - a.free);
  if (best === undefined) throw new XapiError('NO_HOSTS_AVAILABLE');
  return best.host;
}

export const placement: Handlers = {
  'VM.assert_can_boot_here': ({ world }, vm, host) => assertCanBootHere(world, vm, host),
  'VM.get_possible_hosts': ({ world }, vm) => hostsThat(world, (host) => assertCanBootHere(world, vm, host)),
  'VM.compute_memory_overhead': ({ world }, vm) => world.store.get('VM', vm).memory_overhead,
  'host.compute_free_memory': ({ world }, host) => freeMemoryBytes(world, host),
  'host.compute_memory_overhead': ({ world }, host) => world.store.get('host', host).memory_overhead,
};
