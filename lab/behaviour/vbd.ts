import type { Call, Handlers } from '../dispatch/call.ts';
import type { Records } from '../model/records.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { XapiError, handleInvalid } from '../xapi-error.ts';
import { assertPowerState } from './vm-support.ts';

const maxDevices = 255;

/** Device 3 is the CD drive by convention; drives given as xvdb or hdb count like 1. */
function deviceNumber(userdevice: string): number | undefined {
  if (/^\d+$/.test(userdevice)) return Number(userdevice);
  const [, letter] = /^(?:xvd|hd|sd)([a-z])$/.exec(userdevice) ?? [];
  return letter === undefined ? undefined : letter.charCodeAt(0) - 'a'.charCodeAt(0);
}

function allowedDevices(world: World, vm: string): string[] {
  const taken = new Set(
    world.store.get('VM', vm).VBDs.map((ref) => deviceNumber(world.store.get('VBD', ref).userdevice)),
  );
  return Array.from({ length: maxDevices }, (_, device) => device)
    .filter((device) => !taken.has(device))
    .map(String);
}

function chooseDevice(world: World, vm: string, userdevice: string): string {
  const allowed = allowedDevices(world, vm);
  if (userdevice === 'autodetect') {
    const [first] = allowed;
    if (first === undefined) throw new XapiError('INVALID_DEVICE', userdevice);
    return first;
  }
  const device = deviceNumber(userdevice);
  if (device === undefined || device >= maxDevices) throw new XapiError('INVALID_DEVICE', userdevice);
  if (!allowed.includes(String(device))) throw new XapiError('DEVICE_ALREADY_EXISTS', userdevice);
  return userdevice;
}

export function createVbd(
  world: World,
  fields: Partial<Records['VBD']> & Pick<Records['VBD'], 'VM' | 'VDI' | 'userdevice' | 'type' | 'mode'>,
): string {
  if (fields.empty !== true && world.store.find('VDI', fields.VDI) === undefined)
    throw handleInvalid('VDI', fields.VDI);
  if (fields.type === 'CD' && fields.mode !== 'RO') throw new XapiError('VBD_CDS_MUST_BE_READONLY');
  if (fields.type !== 'CD' && fields.empty === true) throw new XapiError('VBD_NOT_REMOVABLE_MEDIA', 'in constructor');
  if (fields.mode === 'RW' && world.store.get('VDI', fields.VDI).read_only)
    throw new XapiError('VDI_READONLY', fields.VDI);
  return world.store.create('VBD', {
    ...fields,
    VDI: fields.empty === true ? nullRef : fields.VDI,
    userdevice: chooseDevice(world, fields.VM, fields.userdevice),
    currently_attached: false,
    // A reference to nothing: the class is gone from the API, its field is not.
    metrics: world.identities.ref(),
  });
}

function destroyVbd(world: World, ref: string): void {
  const vbd = world.store.get('VBD', ref);
  if (vbd.currently_attached) {
    const { uuid } = world.store.get('VM', vbd.VM);
    throw new XapiError('OPERATION_NOT_ALLOWED', `VBD '${vbd.uuid}' still attached to '${uuid}'`);
  }
  world.store.destroy('VBD', ref);
}

/** Whether another drive writes to the disk, or will as one of those that join; nobody minds if it is sharable. */
function isTaken({ store }: World, vdi: string, ref: string, joining: readonly string[]): boolean {
  const disk = store.find('VDI', vdi);
  if (disk === undefined || disk.sharable) return false;
  return disk.VBDs.filter((other) => other !== ref)
    .map((other) => ({ joins: joining.includes(other), ...store.get('VBD', other) }))
    .some(({ joins, currently_attached: attached, mode }) => (joins || attached) && mode === 'RW');
}

/** Throws VDI_IN_USE where a disk that is not sharable would be written through one drive and used through another. */
export function assertOneWriter(world: World, joining: readonly string[]): void {
  for (const ref of joining) {
    const { VDI: vdi } = world.store.get('VBD', ref);
    if (isTaken(world, vdi, ref, joining)) throw new XapiError('VDI_IN_USE', vdi, 'attach');
  }
}

/** What a guest that starts again finds: a drive whose disk somebody else took meanwhile stays away. */
export function attachIfFree(world: World, ref: string): void {
  if (!isTaken(world, world.store.get('VBD', ref).VDI, ref, [])) attach(world, ref);
}

/** Shows the drive in the guest, as xvda for userdevice 0. */
function attach(world: World, ref: string): void {
  const { userdevice } = world.store.get('VBD', ref);
  const letter = String.fromCharCode('a'.charCodeAt(0) + ((deviceNumber(userdevice) ?? 0) % 26));
  world.store.update('VBD', ref, { currently_attached: true, device: `xvd${letter}` });
}

function plug({ world }: Call, ref: string): void {
  const vbd = world.store.get('VBD', ref);
  assertPowerState(world, vbd.VM, ['Running']);
  if (vbd.currently_attached) throw new XapiError('DEVICE_ALREADY_ATTACHED', ref);
  assertOneWriter(world, [ref]);
  attach(world, ref);
}

function unplug({ world }: Call, ref: string): void {
  const vbd = world.store.get('VBD', ref);
  assertPowerState(world, vbd.VM, ['Running']);
  if (!vbd.currently_attached) throw new XapiError('DEVICE_ALREADY_DETACHED', ref);
  if (!vbd.unpluggable) throw new XapiError('VBD_NOT_UNPLUGGABLE', ref);
  world.store.update('VBD', ref, { currently_attached: false });
}

function setMedium({ world }: Call, ref: string, vdi: string): void {
  const vbd = world.store.get('VBD', ref);
  if (vbd.type !== 'CD') throw new XapiError('VBD_NOT_REMOVABLE_MEDIA', ref);
  if (vdi !== nullRef && !vbd.empty) throw new XapiError('VBD_NOT_EMPTY', ref);
  if (vdi === nullRef && vbd.empty) throw new XapiError('VBD_IS_EMPTY', ref);
  if (vbd.currently_attached && isTaken(world, vdi, ref, [])) throw new XapiError('VDI_IN_USE', vdi, 'attach');
  world.store.update('VBD', ref, { VDI: vdi, empty: vdi === nullRef });
}

export const vbdBehaviour: Handlers = {
  'VBD.create': async ({ world, signal }, record) => {
    if (world.store.find('VM', record.VM) === undefined) throw handleInvalid('VM', record.VM);
    await world.latency.spend('createDevice', signal);
    return createVbd(world, record);
  },
  'VBD.destroy': async ({ world, signal }, vbd) => {
    await world.latency.spend('createDevice', signal);
    destroyVbd(world, vbd);
  },
  'VBD.set_mode': ({ world }, vbd, mode) => {
    assertPowerState(world, world.store.get('VBD', vbd).VM, ['Halted']);
    world.store.update('VBD', vbd, { mode });
  },
  'VBD.plug': plug,
  'VBD.assert_attachable': ({ world }, vbd) => assertOneWriter(world, [vbd]),
  'VBD.unplug': unplug,
  'VBD.unplug_force': unplug,
  'VBD.insert': setMedium,
  'VBD.eject': (call, vbd) => setMedium(call, vbd, nullRef),
  'VM.get_allowed_VBD_devices': ({ world }, vm) => allowedDevices(world, vm),
};
