import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import type { UpdateInfo } from './update-info.ts';

const usualSpaceBytes = 4 * 2 ** 30;
const spaceNote = (hostUuid: string) => `patch-space/${hostUuid}`;

/** How much room a host's control domain has for patches. */
export function setPatchSpace(world: World, host: string, bytes: number): void {
  world.setNote(spaceNote(world.store.get('host', host).uuid), String(bytes));
}

export function patchSpaceBytes(world: World, host: string): number {
  return Number(world.note(spaceNote(world.store.get('host', host).uuid)) ?? usualSpaceBytes);
}

/** Why a host may not have an update now, in the words of the error catalogue, without the class of the file. */
export type Obstacle =
  | { readonly kind: 'WRONG_SERVER_VERSION' | 'WRONG_SERVER_BUILD'; readonly found: string; readonly required: string }
  | { readonly kind: 'PREREQUISITE_MISSING' | 'CONFLICT_PRESENT'; readonly uuids: readonly string[] }
  | { readonly kind: 'OUT_OF_SPACE'; readonly found: string; readonly required: string }
  | { readonly kind: 'VM_RUNNING' }
  | { readonly kind: 'ISO_MOUNTED' };

const guestsOf = (world: World, host: string): string[] =>
  world.store.get('host', host).resident_VMs.filter((vm) => !world.store.get('VM', vm).is_control_domain);

function hasIso(world: World, vm: string): boolean {
  return world.store
    .get('VM', vm)
    .VBDs.map((ref) => world.store.get('VBD', ref))
    .some((vbd) => vbd.type === 'CD' && !vbd.empty);
}

/** The first thing that is in the way on the host, `applied` being the uuids of what it has. */
export function findObstacle(
  world: World,
  host: string,
  info: UpdateInfo,
  applied: readonly string[],
): Obstacle | undefined {
  const { product_version: version = '', build_number: build = '' } = world.store.get('host', host).software_version;
  const { forVersion, forBuild, sizeBytes } = info;
  if (forVersion !== '' && forVersion !== version)
    return { kind: 'WRONG_SERVER_VERSION', found: version, required: forVersion };
  if (forBuild !== '' && forBuild !== build) return { kind: 'WRONG_SERVER_BUILD', found: build, required: forBuild };
  const missing = info.requires.filter((uuid) => !applied.includes(uuid));
  if (missing.length > 0) return { kind: 'PREREQUISITE_MISSING', uuids: missing };
  const conflicting = info.conflicts.filter((uuid) => applied.includes(uuid));
  if (conflicting.length > 0) return { kind: 'CONFLICT_PRESENT', uuids: conflicting };
  const space = patchSpaceBytes(world, host);
  if (sizeBytes > space) return { kind: 'OUT_OF_SPACE', found: String(space), required: String(sizeBytes) };
  const guests = guestsOf(world, host);
  if (info.needsNoVms && guests.length > 0) return { kind: 'VM_RUNNING' };
  if (info.needsNoIso && guests.some((vm) => hasIso(world, vm))) return { kind: 'ISO_MOUNTED' };
  return undefined;
}

/** A fault planned for a step that the daemon makes by itself, as if it had been called from outside. Throws its error. */
export function meetFault(
  world: World,
  method: string,
  ...refs: readonly { cls: 'host' | 'pool_patch' | 'pool_update'; ref: string }[]
): void {
  const objects = refs.flatMap(({ cls, ref }) => {
    const { uuid, name_label: name } = world.store.get(cls, ref);
    return [ref, uuid, name];
  });
  const fault = world.faults.take({ method, objects: new Set(objects), pool: world.id }, undefined);
  if (fault?.kind === 'refused') throw new XapiError(...fault.error);
}
