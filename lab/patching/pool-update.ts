import type { Call, Handlers } from '../dispatch/call.ts';
import { destroyVdi } from '../behaviour/vdi.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { installSoftware } from './guidances.ts';
import { recordHostPatch } from './host-patch.ts';
import type { Obstacle } from './precheck.ts';
import { findObstacle, meetFault, patchSpaceBytes } from './precheck.ts';
import { readUpdateIso } from './update-file.ts';
import type { UpdateInfo } from './update-info.ts';

const mib = 2 ** 20;

/** Throws INVALID_UPDATE. */
async function readDisk(world: World, vdi: string): Promise<UpdateInfo> {
  const info = readUpdateIso(await world.contents.read(vdi));
  if ('reason' in info) throw new XapiError('INVALID_UPDATE', info.reason);
  return info;
}

/** Throws CANNOT_FIND_UPDATE: its disk was cleaned away. */
async function infoOf(world: World, update: string): Promise<UpdateInfo> {
  const { vdi } = world.store.get('pool_update', update);
  if (world.store.find('VDI', vdi) === undefined) throw new XapiError('CANNOT_FIND_UPDATE');
  return readDisk(world, vdi);
}

/** The patch that stands for an update has its uuid with a group of zeros. */
const patchUuid = (uuid: string): string => uuid.replace(/^(.{8})-.{4}-.{4}/, '$1-0000-0000');

export const patchOf = (world: World, update: string): string =>
  world.store.records('pool_patch').find(([, patch]) => patch.pool_update === update)?.[0] ?? nullRef;

function createRecords(world: World, vdi: string, info: UpdateInfo): string {
  const about = { name_label: info.name, name_description: info.description, version: info.version };
  const update = world.store.create('pool_update', {
    ...about,
    uuid: info.uuid,
    installation_size: info.sizeBytes,
    after_apply_guidance: info.guidance,
    vdi,
  });
  world.store.create('pool_patch', {
    ...about,
    uuid: patchUuid(info.uuid),
    size: info.sizeBytes,
    after_apply_guidance: info.guidance,
    pool_update: update,
  });
  return update;
}

/** The same disk again is the same update; a disk in the place of one that was cleaned away is taken. Throws UPDATE_ALREADY_EXISTS. */
export async function introduceUpdate(world: World, vdi: string): Promise<string> {
  if (patchSpaceBytes(world, world.pool.master) < mib) throw new XapiError('OUT_OF_SPACE', '/var/update');
  const info = await readDisk(world, vdi);
  const known = world.store.byUuid('pool_update', info.uuid);
  if (known === undefined) return createRecords(world, vdi, info);
  const { vdi: before } = world.store.get('pool_update', known);
  if (before === vdi) return known;
  if (world.store.find('VDI', before) !== undefined) throw new XapiError('UPDATE_ALREADY_EXISTS', info.uuid);
  world.store.update('pool_update', known, { vdi });
  return known;
}

const precheckCode = (kind: string) => `UPDATE_PRECHECK_FAILED_${kind}`;

function precheckError(update: string, obstacle: Obstacle): XapiError {
  switch (obstacle.kind) {
    case 'PREREQUISITE_MISSING':
    case 'CONFLICT_PRESENT':
      return new XapiError(precheckCode(obstacle.kind), update, obstacle.uuids.join(';'));
    case 'WRONG_SERVER_VERSION':
    case 'OUT_OF_SPACE':
      return new XapiError(precheckCode(obstacle.kind), update, obstacle.found, obstacle.required);
    default:
      // Updates have no codes of their own for the rest.
      return new XapiError(precheckCode('UNKNOWN_ERROR'), update, obstacle.kind);
  }
}

/** What a live patch would do on the host. Throws UPDATE_ALREADY_APPLIED, CANNOT_FIND_UPDATE or the precheck's error. */
export async function precheckUpdate(world: World, update: string, host: string): Promise<UpdateInfo['livepatch']> {
  const { updates } = world.store.get('host', host);
  if (updates.includes(update)) throw new XapiError('UPDATE_ALREADY_APPLIED', update);
  const info = await infoOf(world, update);
  const applied = updates.map((ref) => world.store.get('pool_update', ref).uuid);
  const obstacle = findObstacle(world, host, info, applied);
  if (obstacle !== undefined) throw precheckError(update, obstacle);
  return world.store.get('pool', world.pool.ref).live_patching_disabled ? 'ok' : info.livepatch;
}

function recordApplied(world: World, update: string, host: string, needsReboot: boolean): void {
  const { updates, updates_requiring_reboot: waiting } = world.store.get('host', host);
  const { hosts } = world.store.get('pool_update', update);
  world.store.update('host', host, {
    updates: [...updates, update],
    updates_requiring_reboot: needsReboot ? [...waiting, update] : waiting,
  });
  world.store.update('pool_update', update, { hosts: [...hosts, host] });
  recordHostPatch(world, patchOf(world, update), host);
}

/** Throws as precheckUpdate does. */
export async function applyUpdate(call: Call, update: string, host: string): Promise<void> {
  const { world } = call;
  const livepatch = await precheckUpdate(world, update, host);
  const { guidance, software } = await infoOf(world, update);
  await world.latency.spend('patchHost', call.signal);
  const needsReboot = guidance.includes('restartHost') && livepatch !== 'ok_livepatch_complete';
  recordApplied(world, update, host, needsReboot);
  installSoftware(world, host, { at: needsReboot ? 'reboot' : 'toolstack', software });
}

/** Every host without it is tried, whatever happens on the others. Throws UPDATE_POOL_APPLY_FAILED with those that failed. */
export async function poolApplyUpdate(call: Call, update: string): Promise<void> {
  const { world } = call;
  const { hosts } = world.store.get('pool_update', update);
  const open = world.store.refs('host').filter((host) => !hosts.includes(host));
  if (open.length === 0) throw new XapiError('UPDATE_ALREADY_APPLIED_IN_POOL', update);
  const failed: string[] = [];
  for (const host of open) {
    try {
      meetFault(world, 'pool_update.apply', { cls: 'pool_update', ref: update }, { cls: 'host', ref: host });
      await applyUpdate(call, update, host);
    } catch (error) {
      if (!(error instanceof XapiError)) throw error;
      failed.unshift(host);
    }
  }
  if (failed.length > 0) throw new XapiError('UPDATE_POOL_APPLY_FAILED', ...failed);
}

/** The disk goes, the record of what is applied stays. */
export function cleanUpdate(world: World, update: string): void {
  const { vdi } = world.store.get('pool_update', update);
  if (world.store.find('VDI', vdi) !== undefined) destroyVdi(world, vdi);
  world.store.update('pool_update', update, { vdi: nullRef });
}

function destroyUpdate(world: World, update: string): void {
  if (world.store.get('pool_update', update).hosts.length > 0) throw new XapiError('UPDATE_IS_APPLIED');
  const patch = patchOf(world, update);
  world.store.destroy('pool_update', update);
  world.store.destroy('pool_patch', patch);
}

/** pool_update: how hosts of XenServer 7.1 to 8.2 are patched, from the ISO on a disk. */
export const poolUpdateBehaviour: Handlers = {
  'pool_update.introduce': ({ world }, vdi) => introduceUpdate(world, vdi),
  'pool_update.precheck': ({ world }, update, host) => precheckUpdate(world, update, host),
  'pool_update.apply': (call, update, host) => applyUpdate(call, update, host),
  'pool_update.pool_apply': (call, update) => poolApplyUpdate(call, update),
  'pool_update.pool_clean': ({ world }, update) => cleanUpdate(world, update),
  'pool_update.destroy': ({ world }, update) => destroyUpdate(world, update),
};
