import type { Handlers } from '../dispatch/call.ts';
import { copyObjects } from '../world/copy-objects.ts';
import type { ObjectName } from '../world/copy-objects.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { XapiError, internalError } from '../xapi-error.ts';
import { assertHaOff } from './ha-plan.ts';
import { powerOn, stopToolstack } from './host-lifecycle.ts';
import { hostObjects, moveNotes, removeHost } from './host-objects.ts';
import { assertDead, assertHostReachable, guestsOn } from './host-support.ts';
import { createPool } from './pool-object.ts';
import { wipe } from './sr-contents.ts';

/** The storage that only this host reaches. */
const ownSrs = ({ store }: World, host: string): string[] =>
  store
    .get('host', host)
    .PBDs.map((pbd) => store.get('PBD', pbd).SR)
    .filter((sr) => store.get('SR', sr).PBDs.length === 1);

/** What the host finds again when it starts with an empty database: itself, its network cards, its patches, its disk. */
function lasting(world: World, host: string): ObjectName[] {
  const { store } = world;
  const srs = ownSrs(world, host);
  const own = hostObjects(world, host).filter(
    ([cls, ref]) =>
      (cls !== 'PIF' || store.get('PIF', ref).physical) &&
      (cls !== 'PBD' || srs.includes(store.get('PBD', ref).SR)) &&
      !['host_crashdump', 'Bond', 'VLAN', 'tunnel'].includes(cls),
  );
  const { updates, patches, PIFs: pifs } = store.get('host', host);
  const networks = pifs
    .map((pif) => store.get('PIF', pif))
    .filter(({ physical }) => physical)
    .map(({ network }) => network);
  const poolPatches = patches.map((patch) => store.get('host_patch', patch).pool_patch);
  return [
    ...srs.map((sr) => ['SR', sr] as const),
    ...[...new Set(networks)].map((network) => ['network', network] as const),
    ...poolPatches.map((patch) => ['pool_patch', patch] as const),
    ...updates.map((update) => ['pool_update', update] as const),
    ...own,
  ];
}

/** The SRs' disks are gone with all that was on them; VMs of the pool that had them lose them. */
function wipeOwnSrs(world: World, host: string): void {
  for (const sr of ownSrs(world, host)) {
    const { VDIs: vdis, PBDs: pbds, uuid } = world.store.get('SR', sr);
    for (const vdi of vdis) {
      for (const vbd of world.store.get('VDI', vdi).VBDs) world.store.destroy('VBD', vbd);
      world.contents.drop(vdi);
      world.store.destroy('VDI', vdi);
    }
    for (const pbd of pbds) world.store.destroy('PBD', pbd);
    world.store.destroy('SR', sr);
    wipe(world, uuid);
  }
}

/** The host as a pool of its own, which nobody has named yet. Gives its reference there. */
function foundPool(world: World, host: string, alone: World): string {
  const refs = copyObjects(world.store, alone.store, lasting(world, host), new Map(), () => alone.identities.ref());
  const coordinator = refs.get(host) ?? nullRef;
  for (const [sr] of alone.store.records('SR'))
    alone.store.update('SR', sr, { uuid: alone.identities.uuid(), physical_utilisation: 0, virtual_allocation: 0 });
  const [defaultSr = nullRef] = alone.store.refs('SR');
  createPool(alone, { name_label: '', master: coordinator, default_SR: defaultSr });
  return coordinator;
}

/** The host goes down at once, loses what was on its own disks, and comes back as a pool of its own with the same password. */
async function eject(world: World, host: string): Promise<void> {
  assertHostReachable(world, host);
  assertHaOff(world);
  if (host === world.pool.master) throw internalError('Xapi_pool.Cannot_eject_master');
  if (guestsOn(world, host).length > 0) throw new XapiError('OPERATION_NOT_ALLOWED', 'VM resident on host');
  await stopToolstack(world, host);
  const alone = world.site.found({ world, host });
  const place = { world: alone, host: foundPool(world, host, alone) };
  moveNotes(world, alone, world.store.get('host', host).uuid);
  wipeOwnSrs(world, host);
  removeHost(world, host);
  world.site.rehouse({ world, host }, place);
  powerOn(place.world, place.host);
}

/** The records of a host that is dead go; the machine is no concern of the pool any more. */
function destroyHost(world: World, host: string): void {
  assertDead(world, host);
  assertHaOff(world);
  if (guestsOn(world, host).length > 0) throw new XapiError('HOST_HAS_RESIDENT_VMS', host);
  removeHost(world, host);
  world.site.retire({ world, host });
}

/** Hosts that leave a pool. */
export const poolLeave: Handlers = {
  'pool.eject': ({ world }, host) => eject(world, host),
  'host.destroy': ({ world }, host) => destroyHost(world, host),
};
