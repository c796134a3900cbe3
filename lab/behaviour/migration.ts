import type { Call, Handlers } from '../dispatch/call.ts';
import type { Place } from '../world/site.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { assertCanBootHere, assertNotBeingEvacuated } from './boot-checks.ts';
import { faultAt } from './fault-points.ts';
import { refreshFreeMemory } from './memory.ts';
import { withRoomOn } from './reservation.ts';
import { assertNotOlder } from './versions.ts';
import { postMessage, vmWish, whereabouts } from './vm-support.ts';

/** In how many parts the memory's transfer is told of. */
const rounds = 10;

/** Gives the host's interface by which a VM's memory comes over the network. Throws the official error when it cannot. */
export function assertMigrationNetwork(world: World, network: string, host: string): string {
  const pif = world.store.get('network', network).PIFs.find((ref) => world.store.get('PIF', ref).host === host);
  if (pif === undefined) throw new XapiError('HOST_CANNOT_ATTACH_NETWORK', host, network);
  const { IP: address, ip_configuration_mode: mode } = world.store.get('PIF', pif);
  if (address !== '') return pif;
  throw new XapiError(mode === 'None' ? 'PIF_HAS_NO_NETWORK_CONFIGURATION' : 'INTERFACE_HAS_NO_IP', pif);
}

/** Throws the first reason why the running VM cannot go to the host with the storage that it has. */
function assertCanMoveTo(world: World, vm: string, host: string): void {
  const { resident_on: home } = world.store.get('VM', vm);
  assertNotOlder(world, vm, home, host);
  assertNotBeingEvacuated(world, host);
  assertCanBootHere(world, vm, host);
}

/** The hypervisor over there gives the VM a new domain; the guest in it notices nothing, nor does who is connected to it. */
function arrive(world: World, vm: string, host: string): void {
  const { resident_on: home } = world.store.get('VM', vm);
  world.store.update('VM', vm, { resident_on: host, domid: world.nextDomid() });
  if (home !== host) refreshFreeMemory(world, home);
}

function failIfPlanned(world: World, vm: string, host: string): void {
  const { resident_on: home } = world.store.get('VM', vm);
  if (faultAt(world, 'vm.migrate', 'VM', vm, home)?.kind === 'migration-fails')
    throw new XapiError('VM_MIGRATE_FAILED', vm, home, host, 'planned by the lab');
}

/** Throws VM_MIGRATE_FAILED when the way between the hosts has no end any more. */
function assertBothRun(world: World, vm: string, to: Place): void {
  const { resident_on: home } = world.store.get('VM', vm);
  if ([{ world, host: home }, to].some((end) => end.world.machines.of(end.host).power === 'off'))
    throw new XapiError('VM_MIGRATE_FAILED', vm, home, to.host, 'the connection to the other host was lost');
}

/** Resolves when all of the VM's memory is on the other host. Throws VM_MIGRATE_FAILED, or what the call was cancelled with. */
export async function sendMemory({ world, signal, progress }: Call, vm: string, to: Place): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    signal.throwIfAborted();
    await world.latency.spend('migrate', signal, 1 / rounds);
    progress((0.9 * round) / rounds);
    if (round === rounds / 2) failIfPlanned(world, vm, to.host);
    assertBothRun(world, vm, to);
  }
}

/** Both hosts hold the VM's memory until it has moved; `arrived` is the last thing before it lives over there. */
export async function migrate(
  call: Call,
  vm: string,
  host: string,
  arrived: () => void = () => undefined,
): Promise<void> {
  const { world } = call;
  await withRoomOn(call, vm, host, 'vm_migrate', async () => {
    await sendMemory(call, vm, { world, host });
    arrived();
    arrive(world, vm, host);
  });
  postMessage(world, 'VM_MIGRATED', vm, `migrated${whereabouts(world, vm)}`);
}

/** `force` goes without the guest's agent; `network` is the one over which the memory goes. */
export type MigrationOptions = Readonly<Record<string, string>>;

export const poolMigrate = (call: Call, vm: string, host: string, options: MigrationOptions): Promise<void> =>
  vmWish(call, vm, { name: 'pool_migrate', states: ['Running'], force: options['force'] === 'true' }, async () => {
    assertCanMoveTo(call.world, vm, host);
    if (options['network'] !== undefined) assertMigrationNetwork(call.world, options['network'], host);
    await migrate(call, vm, host);
  });

export const migrationBehaviour: Handlers = { 'VM.pool_migrate': poolMigrate };
