import type { Handlers } from '../dispatch/call.ts';
import type { Records } from '../model/records.ts';
import type { World } from '../world/world.ts';
import { XapiError, handleInvalid } from '../xapi-error.ts';
import { assertHaOff, assertNotPromised, haIsOn } from './ha-plan.ts';
import { forgetDisk, readSizes, rememberMedium, wipe } from './sr-contents.ts';
import { vdisOf } from './vm-support.ts';

/** The storage managers that a host brings along. */
const drivers = ['dummy', 'ext', 'file', 'hba', 'iscsi', 'iso', 'lvm', 'lvmohba', 'lvmoiscsi', 'nfs', 'smb', 'udev'];

/** An SR with its connections, all plugged; a shared one is connected to every host given. */
export function createSr(
  world: World,
  about: {
    readonly name_label: string;
    readonly name_description?: string;
    readonly type: string;
    readonly physical_size: number;
    readonly shared: boolean;
    readonly content_type?: string;
    readonly sm_config?: Readonly<Record<string, string>>;
  },
  connections: readonly { readonly host: string; readonly device: Readonly<Record<string, string>> }[],
): string {
  const sr = world.store.create('SR', { content_type: 'user', ...about });
  for (const { host, device } of connections) {
    world.store.create('PBD', { host, SR: sr, device_config: device, currently_attached: true });
  }
  return sr;
}

export function assertDriver(type: string): void {
  if (!drivers.includes(type)) throw new XapiError('SR_UNKNOWN_DRIVER', type);
}

function assertUnplugged(world: World, sr: string): void {
  const { PBDs: pbds } = world.store.get('SR', sr);
  if (pbds.some((ref) => world.store.get('PBD', ref).currently_attached)) throw new XapiError('SR_HAS_PBD', sr);
}

/** The records go; what is on the storage stays there. */
function forgetSr(world: World, sr: string): void {
  assertUnplugged(world, sr);
  const { PBDs: pbds, VDIs: vdis } = world.store.get('SR', sr);
  rememberMedium(world, sr);
  for (const vdi of vdis) forgetDisk(world, vdi);
  for (const pbd of pbds) world.store.destroy('PBD', pbd);
  world.store.destroy('SR', sr);
}

/** Throws SR_HAS_PBD, SR_HAS_NO_PBDS, SR_INDESTRUCTIBLE, SR_NOT_EMPTY. */
function destroySr(world: World, sr: string): void {
  assertUnplugged(world, sr);
  const { PBDs: pbds, VDIs: vdis, other_config: config, uuid } = world.store.get('SR', sr);
  if (pbds.length === 0) throw new XapiError('SR_HAS_NO_PBDS', sr);
  if (vdis.some((vdi) => world.store.get('VDI', vdi).managed)) throw new XapiError('SR_NOT_EMPTY');
  if (config['indestructible'] === 'true') throw new XapiError('SR_INDESTRUCTIBLE', sr);
  forgetSr(world, sr);
  wipe(world, uuid);
}

/** Throws VDI_IN_USE with every disk that a VM of the host has of this storage. */
function assertUnused(world: World, pbd: string): void {
  const { SR: sr, host } = world.store.get('PBD', pbd);
  const used = (world.store.find('SR', sr)?.VDIs ?? []).filter((vdi) =>
    world.store
      .get('VDI', vdi)
      .VBDs.map((ref) => world.store.get('VBD', ref))
      .some(({ currently_attached: attached, VM: vm }) => attached && world.store.get('VM', vm).resident_on === host),
  );
  if (used.length > 0) throw new XapiError('VDI_IN_USE', ...used);
}

/** Throws HA_IS_ENABLED for the heartbeat's storage, HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN for a protected VM's. */
function assertKeptForHa(world: World, pbd: string): void {
  const { SR: sr } = world.store.get('PBD', pbd);
  const { ha_statefiles: statefiles } = world.store.get('pool', world.pool.ref);
  if (haIsOn(world) && statefiles.some((vdi) => world.store.find('VDI', vdi)?.SR === sr)) assertHaOff(world);
  assertNotPromised(world, (vm) => vdisOf(world, vm).some(({ vdi }) => world.store.get('VDI', vdi).SR === sr));
}

/** A host has one connection to an SR; asking for a second one gives the first. */
function createPbd(world: World, record: Records['PBD']): string {
  if (world.store.find('SR', record.SR) === undefined) throw handleInvalid('SR', record.SR);
  const [known] =
    world.store.records('PBD').find(([, { host, SR: sr }]) => host === record.host && sr === record.SR) ?? [];
  return known ?? world.store.create('PBD', record);
}

function destroyPbd(world: World, pbd: string): void {
  if (world.store.get('PBD', pbd).currently_attached)
    throw new XapiError('OPERATION_NOT_ALLOWED', 'PBD is currently attached');
  world.store.destroy('PBD', pbd);
}

function plug(world: World, pbd: string): void {
  world.store.update('PBD', pbd, { currently_attached: true });
  readSizes(world, world.store.get('PBD', pbd).SR);
}

export const srBehaviour: Handlers = {
  'SR.create': ({ world }, host, device, sizeBytes, name, description, type, contentType, shared, config = {}) => {
    assertDriver(type);
    const hosts = shared ? world.store.refs('host') : [host];
    const about = { name_label: name, name_description: description, type, content_type: contentType, shared };
    return createSr(
      world,
      { ...about, physical_size: sizeBytes, sm_config: config },
      hosts.map((ref) => ({ host: ref, device })),
    );
  },
  'SR.make': () => {
    throw new XapiError('MESSAGE_DEPRECATED');
  },
  'SR.forget': ({ world }, sr) => forgetSr(world, sr),
  'SR.destroy': ({ world }, sr) => destroySr(world, sr),
  'SR.get_supported_types': () => drivers,
  'SR.update': () => undefined,
  'PBD.plug': ({ world }, pbd) => plug(world, pbd),
  'PBD.unplug': ({ world }, pbd) => {
    assertKeptForHa(world, pbd);
    assertUnused(world, pbd);
    world.store.update('PBD', pbd, { currently_attached: false });
  },
  'PBD.create': ({ world }, record) => createPbd(world, record),
  'PBD.destroy': ({ world }, pbd) => destroyPbd(world, pbd),
};
