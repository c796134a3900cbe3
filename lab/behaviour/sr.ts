import type { Handlers } from '../dispatch/call.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';

/** The storage managers that a host brings along. */
const drivers = ['dummy', 'ext', 'file', 'hba', 'iscsi', 'iso', 'lvm', 'lvmohba', 'lvmoiscsi', 'nfs', 'smb', 'udev'];

const allowedOperations = [
  ...['vdi_introduce', 'unplug', 'plug', 'pbd_create', 'update', 'pbd_destroy', 'vdi_resize', 'vdi_clone', 'scan'],
  ...['vdi_snapshot', 'vdi_create', 'vdi_destroy'],
];

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
  const sr = world.store.create('SR', { content_type: 'user', ...about, allowed_operations: allowedOperations });
  for (const { host, device } of connections) {
    world.store.create('PBD', { host, SR: sr, device_config: device, currently_attached: true });
  }
  return sr;
}

function assertUnplugged(world: World, sr: string): void {
  const { PBDs: pbds } = world.store.get('SR', sr);
  if (pbds.some((ref) => world.store.get('PBD', ref).currently_attached)) throw new XapiError('SR_HAS_PBD', sr);
}

function forgetSr(world: World, sr: string): void {
  assertUnplugged(world, sr);
  const { PBDs: pbds, VDIs: vdis } = world.store.get('SR', sr);
  for (const pbd of pbds) world.store.destroy('PBD', pbd);
  for (const vdi of vdis) world.store.destroy('VDI', vdi);
  world.store.destroy('SR', sr);
}

export const srBehaviour: Handlers = {
  'SR.create': ({ world }, host, device, sizeBytes, name, description, type, contentType, shared, config = {}) => {
    if (!drivers.includes(type)) throw new XapiError('SR_UNKNOWN_DRIVER', type);
    const hosts = shared ? world.store.refs('host') : [host];
    const about = { name_label: name, name_description: description, type, content_type: contentType, shared };
    return createSr(
      world,
      { ...about, physical_size: sizeBytes, sm_config: config },
      hosts.map((ref) => ({ host: ref, device })),
    );
  },
  'SR.forget': ({ world }, sr) => forgetSr(world, sr),
  'SR.destroy': ({ world }, sr) => forgetSr(world, sr),
  'SR.get_supported_types': () => drivers,
  'SR.scan': () => undefined,
  'SR.update': () => undefined,
  'PBD.plug': ({ world }, pbd) => world.store.update('PBD', pbd, { currently_attached: true }),
  'PBD.unplug': ({ world }, pbd) => world.store.update('PBD', pbd, { currently_attached: false }),
  'PBD.create': ({ world }, record) => world.store.create('PBD', record),
  'PBD.destroy': ({ world }, pbd) => world.store.destroy('PBD', pbd),
};
