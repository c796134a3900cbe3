import type { Handlers } from '../dispatch/call.ts';
import type { Records } from '../model/records.ts';
import { formatDate } from '../world/dates.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { XapiError, handleInvalid } from '../xapi-error.ts';
import { assertNotForHa } from './ha-plan.ts';
import { faultAt } from './fault-points.ts';

/** Throws SR_BACKEND_FAILURE_44, the storage layer's way to say that there is no room. */
export function assertRoom(world: World, sr: string, bytes: number): void {
  const { physical_size: sizeBytes, physical_utilisation: usedBytes } = world.store.get('SR', sr);
  const isFull = faultAt(world, 'sr.allocate', 'SR', sr)?.kind === 'sr-full';
  const freeBytes = isFull ? 0 : sizeBytes - usedBytes;
  if (!isFull && bytes <= freeBytes) return;
  const detail = `[opterr=need ${bytes} bytes, ${freeBytes} are free]`;
  throw new XapiError('SR_BACKEND_FAILURE_44', '', `There is insufficient space ${detail}`, '');
}

function account(world: World, sr: string, virtualBytes: number, physicalBytes: number): void {
  const { virtual_allocation: allocated, physical_utilisation: used } = world.store.get('SR', sr);
  world.store.update('SR', sr, {
    virtual_allocation: allocated + virtualBytes,
    physical_utilisation: used + physicalBytes,
  });
}

/** What a disk takes once something was written to all of it. */
export function setUtilisation(world: World, vdi: string, physicalBytes: number): void {
  const { SR: sr, physical_utilisation: before } = world.store.get('VDI', vdi);
  world.store.update('VDI', vdi, { physical_utilisation: physicalBytes });
  account(world, sr, 0, physicalBytes - before);
}

/** Throws HANDLE_INVALID, SR_HAS_NO_PBDS or SR_BACKEND_FAILURE_44. */
export function createVdi(
  world: World,
  fields: Partial<Records['VDI']> & { SR: string; virtual_size: number },
): string {
  const { PBDs: pbds } = world.store.get('SR', fields.SR);
  if (!pbds.some((ref) => world.store.get('PBD', ref).currently_attached))
    throw new XapiError('SR_HAS_NO_PBDS', fields.SR);
  const physicalBytes = fields.physical_utilisation ?? fields.virtual_size;
  assertRoom(world, fields.SR, physicalBytes);
  const uuid = world.identities.uuid();
  const ref = world.store.create('VDI', {
    ...fields,
    uuid,
    location: uuid,
    physical_utilisation: physicalBytes,
    managed: true,
    parent: nullRef,
  });
  account(world, fields.SR, fields.virtual_size, physicalBytes);
  return ref;
}

interface CopyOptions {
  /** A copy-on-write clone on the same SR, which takes no space of its own at first. */
  readonly shared: boolean;
  readonly sr?: string | undefined;
  readonly snapshot?: boolean;
}

export function copyVdi(world: World, vdi: string, { shared, sr, snapshot = false }: CopyOptions): string {
  const { uuid: _uuid, VBDs: _vbds, snapshots: _snapshots, ...original } = world.store.get('VDI', vdi);
  const copy = createVdi(world, {
    ...original,
    SR: sr ?? original.SR,
    current_operations: {},
    physical_utilisation: shared ? 0 : original.virtual_size,
    is_a_snapshot: snapshot,
    snapshot_of: snapshot ? vdi : nullRef,
    snapshot_time: snapshot ? formatDate(Date.now()) : original.snapshot_time,
  });
  world.contents.copy(vdi, copy);
  return copy;
}

/** The disk lives on the other SR from now on, as a new object in the same drives. Gives its reference. */
export function moveVdi(world: World, vdi: string, sr: string): string {
  const { uuid: _uuid, VBDs: vbds, snapshots, ...original } = world.store.get('VDI', vdi);
  const moved = createVdi(world, { ...original, SR: sr, current_operations: {} });
  world.contents.copy(vdi, moved);
  for (const vbd of vbds) world.store.update('VBD', vbd, { VDI: moved });
  for (const snapshot of snapshots) world.store.update('VDI', snapshot, { snapshot_of: moved });
  destroyVdi(world, vdi);
  return moved;
}

export const isAttached = (world: World, vdi: string): boolean =>
  world.store.get('VDI', vdi).VBDs.some((ref) => world.store.get('VBD', ref).currently_attached);

function assertFree(world: World, vdi: string, operation: string): void {
  if (isAttached(world, vdi)) throw new XapiError('VDI_IN_USE', vdi, operation);
}

/** The drives that held the disk go with it. */
export function destroyVdi(world: World, vdi: string): void {
  assertFree(world, vdi, 'destroy');
  const { SR: sr, VBDs: vbds, virtual_size: sizeBytes, physical_utilisation: usedBytes } = world.store.get('VDI', vdi);
  for (const vbd of vbds) world.store.destroy('VBD', vbd);
  world.store.destroy('VDI', vdi);
  world.contents.drop(vdi);
  account(world, sr, -sizeBytes, -usedBytes);
}

/** A VM that goes on, or begins anew, needs no image of its memory; one that somebody else holds stays. */
export function dropSuspendImage(world: World, vm: string): void {
  const { suspend_VDI: image } = world.store.get('VM', vm);
  if (image === nullRef) return;
  world.store.update('VM', vm, { suspend_VDI: nullRef });
  if (world.store.find('VDI', image) !== undefined && !isAttached(world, image)) destroyVdi(world, image);
}

function resizeVdi(world: World, vdi: string, sizeBytes: number): void {
  assertFree(world, vdi, 'resize');
  const { virtual_size: before, SR: sr, physical_utilisation: used } = world.store.get('VDI', vdi);
  if (sizeBytes < before)
    throw new XapiError('SR_BACKEND_FAILURE_79', '', 'VDI Invalid size [opterr=shrinking not allowed]', '');
  assertRoom(world, sr, sizeBytes - before);
  world.store.update('VDI', vdi, { virtual_size: sizeBytes, physical_utilisation: used + sizeBytes - before });
  account(world, sr, sizeBytes - before, sizeBytes - before);
}

export const vdiBehaviour: Handlers = {
  'VDI.create': async ({ world, signal }, record) => {
    if (world.store.find('SR', record.SR) === undefined) throw handleInvalid('SR', record.SR);
    await world.latency.spend('createDisk', signal);
    return createVdi(world, record);
  },
  'VDI.destroy': async ({ world, signal }, vdi) => {
    assertNotForHa(world, vdi);
    assertFree(world, vdi, 'destroy');
    await world.latency.spend('destroy', signal);
    destroyVdi(world, vdi);
  },
  'VDI.resize': ({ world }, vdi, sizeBytes) => resizeVdi(world, vdi, sizeBytes),
  'VDI.clone': async ({ world, signal }, vdi) => {
    await world.latency.spend('createDisk', signal);
    return copyVdi(world, vdi, { shared: true });
  },
  'VDI.snapshot': async ({ world, signal }, vdi) => {
    await world.latency.spend('createDisk', signal);
    return copyVdi(world, vdi, { shared: true, snapshot: true });
  },
  'VDI.copy': async ({ world, signal }, vdi, sr = nullRef) => {
    await world.latency.spend('clone', signal);
    return copyVdi(world, vdi, { shared: false, sr: sr === nullRef ? undefined : sr });
  },
  'VDI.update': () => undefined,
};
