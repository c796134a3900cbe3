import type { Call, Handlers } from '../dispatch/call.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { installSoftware } from './guidances.ts';
import { recordHostPatch } from './host-patch.ts';
import { findObstacle, meetFault, patchSpaceBytes } from './precheck.ts';
import type { Obstacle } from './precheck.ts';
import { applyUpdate, cleanUpdate, poolApplyUpdate, precheckUpdate } from './pool-update.ts';
import { readPatchFile } from './update-file.ts';
import type { UpdateInfo } from './update-info.ts';

/** The file of a patch on the disk of the host that took it: of another coordinator's disk nobody can read. */
interface PatchFile {
  readonly host: string;
  readonly info: UpdateInfo;
}

const fileNote = (patchUuid: string) => `patch-file/${patchUuid}`;

function fileOf(world: World, patch: string): PatchFile | undefined {
  const text = world.note(fileNote(world.store.get('pool_patch', patch).uuid));
  const file = text === undefined ? undefined : (JSON.parse(text) as PatchFile);
  return file?.host === world.pool.master ? file : undefined;
}

function removeFile(world: World, patch: string): void {
  world.setNote(fileNote(world.store.get('pool_patch', patch).uuid), null);
}

/** Throws CANNOT_FIND_PATCH: it was cleaned, or uploaded to a coordinator that is none any more. */
function infoOf(world: World, patch: string): UpdateInfo {
  const file = fileOf(world, patch);
  if (file === undefined) throw new XapiError('CANNOT_FIND_PATCH');
  return file.info;
}

/** A patch as an uploaded file makes it; the same one anew when its file was gone. Throws INVALID_PATCH, PATCH_ALREADY_EXISTS, OUT_OF_SPACE. */
export function introducePatch(world: World, content: Buffer): string {
  const info = readPatchFile(content);
  if (info === undefined) throw new XapiError('INVALID_PATCH');
  const host = world.pool.master;
  if (info.sizeBytes > patchSpaceBytes(world, host)) throw new XapiError('OUT_OF_SPACE', '/var/patch');
  const known = world.store.byUuid('pool_patch', info.uuid);
  if (known !== undefined && fileOf(world, known) !== undefined) throw new XapiError('PATCH_ALREADY_EXISTS', info.uuid);
  world.setNote(fileNote(info.uuid), JSON.stringify({ host, info }));
  if (known !== undefined) return known;
  return world.store.create('pool_patch', {
    uuid: info.uuid,
    name_label: info.name,
    name_description: info.description,
    version: info.version,
    size: info.sizeBytes,
    after_apply_guidance: info.guidance,
  });
}

function hostPatch(world: World, patch: string, host: string): string | undefined {
  const { host_patches: patches } = world.store.get('pool_patch', patch);
  return patches.find((ref) => world.store.get('host_patch', ref).host === host);
}

function appliedUuids(world: World, host: string): string[] {
  const { patches } = world.store.get('host', host);
  return patches.map((ref) => world.store.get('pool_patch', world.store.get('host_patch', ref).pool_patch).uuid);
}

const precheckCode = (kind: string) => `PATCH_PRECHECK_FAILED_${kind}`;

function precheckError(patch: string, obstacle: Obstacle): XapiError {
  switch (obstacle.kind) {
    case 'PREREQUISITE_MISSING':
      return new XapiError(precheckCode(obstacle.kind), patch, obstacle.uuids.join(';'));
    case 'CONFLICT_PRESENT':
      // The catalogue has no code of patches for it.
      return new XapiError(precheckCode('UNKNOWN_ERROR'), patch, `conflicts with ${obstacle.uuids.join(';')}`);
    case 'VM_RUNNING':
    case 'ISO_MOUNTED':
      return new XapiError(precheckCode(obstacle.kind), patch);
    default:
      return new XapiError(precheckCode(obstacle.kind), patch, obstacle.found, obstacle.required);
  }
}

/** What the script of a patch prints when something is in its way. */
function precheckXml(obstacle: Obstacle): string {
  const code = precheckCode(obstacle.kind);
  if ('found' in obstacle) {
    const { found, required } = obstacle;
    return `<error errorcode="${code}"><found>${found}</found><required>${required}</required></error>`;
  }
  if (!('uuids' in obstacle)) return `<error errorcode="${code}"/>`;
  const uuids = obstacle.uuids.map((uuid) => `<prerequisite uuid="${uuid}"/>`);
  return `<error errorcode="${code}">${uuids.join('')}</error>`;
}

/** What the patch prints; throws the official error, unless the patch is one that prints its errors and ends well. */
function precheck(world: World, patch: string, host: string): string {
  const info = infoOf(world, patch);
  const obstacle = findObstacle(world, host, info, appliedUuids(world, host));
  if (obstacle === undefined) return '';
  if (info.answersXml) return precheckXml(obstacle);
  throw precheckError(patch, obstacle);
}

async function apply(call: Call, patch: string, host: string): Promise<string> {
  const { world } = call;
  if (hostPatch(world, patch, host) !== undefined) throw new XapiError('PATCH_ALREADY_APPLIED', patch);
  const { guidance, software } = infoOf(world, patch);
  const complaint = precheck(world, patch, host);
  if (complaint !== '') throw new XapiError('PATCH_APPLY_FAILED', complaint);
  await world.latency.spend('patchHost', call.signal);
  recordHostPatch(world, patch, host);
  installSoftware(world, host, { at: guidance.includes('restartHost') ? 'reboot' : 'toolstack', software });
  return '';
}

/** On the hosts without it, one after the other; the first failure ends it, what was done stays. */
async function poolApply(call: Call, patch: string): Promise<void> {
  const { world } = call;
  for (const host of world.store.refs('host')) {
    if (hostPatch(world, patch, host) !== undefined) continue;
    meetFault(world, 'pool_patch.apply', { cls: 'pool_patch', ref: patch }, { cls: 'host', ref: host });
    await apply(call, patch, host);
  }
  world.store.update('pool_patch', patch, { pool_applied: true });
}

function destroy(world: World, patch: string): void {
  if (world.store.get('pool_patch', patch).host_patches.length > 0) throw new XapiError('PATCH_IS_APPLIED');
  removeFile(world, patch);
  world.store.destroy('pool_patch', patch);
}

/** Since 7.1 a patch is another name for an update; undefined for one of before. */
function updateOf(world: World, patch: string): string | undefined {
  const { pool_update: update } = world.store.get('pool_patch', patch);
  return update === nullRef ? undefined : update;
}

function clean(world: World, patch: string): void {
  if (updateOf(world, patch) === undefined) removeFile(world, patch);
}

/** pool_patch: how hosts up to XenServer 7.0 are patched; later ones do the same to the update behind it. */
export const poolPatchBehaviour: Handlers = {
  'pool_patch.precheck': async ({ world }, patch, host) => {
    const update = updateOf(world, patch);
    if (update === undefined) return precheck(world, patch, host);
    await precheckUpdate(world, update, host);
    return '';
  },
  'pool_patch.apply': async (call, patch, host) => {
    const update = updateOf(call.world, patch);
    if (update === undefined) return apply(call, patch, host);
    await applyUpdate(call, update, host);
    return '';
  },
  'pool_patch.pool_apply': (call, patch) => {
    const update = updateOf(call.world, patch);
    return update === undefined ? poolApply(call, patch) : poolApplyUpdate(call, update);
  },
  'pool_patch.clean': ({ world }, patch) => clean(world, patch),
  'pool_patch.clean_on_host': ({ world }, patch, host) => {
    if (host === world.pool.master) clean(world, patch);
  },
  'pool_patch.pool_clean': ({ world }, patch) => {
    const update = updateOf(world, patch);
    if (update === undefined) removeFile(world, patch);
    else cleanUpdate(world, update);
  },
  'pool_patch.destroy': ({ world }, patch) => destroy(world, patch),
};
