import type { ClassName } from '../model/records.ts';
import type { RecordValue } from '../model/types.ts';
import { copyObjects } from '../world/copy-objects.ts';
import { nullRef } from '../world/identities.ts';
import type { Store } from '../world/store.ts';
import type { World } from '../world/world.ts';
import { assertIsUnknown, changesOnArrival, objectsThatArrive, sameVm } from './arrival.ts';
import { createVdi, destroyVdi } from './vdi.ts';
import { removeVm } from './vm-life.ts';

/** VMs from an archive, and what was on their disks. */
interface Imported {
  readonly objects: Store;
  readonly contents: ReadonlyMap<string, Buffer>;
}

export interface ImportOptions {
  /** Where all disks go. */
  readonly sr: string;
  /** The same VM again, with its uuid and addresses; else another one. */
  readonly restore: boolean;
  /** It takes the place of the same VM whatever its version. */
  readonly force: boolean;
}

/** The halted VM that it is to replace, if there is one. Throws what `assertIsUnknown` does. */
function inTheWay(world: World, objects: Store, vm: string, force: boolean): string | undefined {
  const imported = objects.get('VM', vm);
  const same = sameVm(world, imported.uuid);
  const isNewer = same !== undefined && world.store.get('VM', same).version < imported.version;
  if (same !== undefined && (force || isNewer)) return same;
  assertIsUnknown(world, imported);
  return undefined;
}

/** The disks that an archive carries: none of CD drives. */
function disksIn(objects: Store): Set<string> {
  const drives = objects.records('VBD').filter(([, { type }]) => type !== 'CD');
  const images = objects.records('VM').map(([, { suspend_VDI: image }]) => image);
  const all = [...drives.map(([, { VDI: vdi }]) => vdi), ...images];
  return new Set(
    all.filter((ref) => {
      const vdi = objects.find('VDI', ref);
      return vdi !== undefined && objects.find('SR', vdi.SR)?.content_type !== 'iso';
    }),
  );
}

/** Makes the disks, then clears the way for their VMs: when either fails there are no disks. Gives old references with new ones. */
async function createDisks(
  world: World,
  { objects, contents }: Imported,
  sr: string,
  clearTheWay: () => void,
): Promise<Map<string, string>> {
  const made = new Map<string, string>();
  try {
    for (const ref of disksIn(objects)) {
      const { uuid: _uuid, VBDs: _vbds, snapshots: _snapshots, ...original } = objects.get('VDI', ref);
      const fresh = { snapshot_of: nullRef, is_a_snapshot: false, current_operations: {}, crash_dumps: [] };
      const vdi = createVdi(world, { ...original, ...fresh, SR: sr, physical_utilisation: original.virtual_size });
      made.set(ref, vdi);
      const content = contents.get(ref);
      if (content !== undefined) await world.contents.write(vdi, content);
    }
    clearTheWay();
    return made;
  } catch (error) {
    for (const vdi of made.values()) destroyVdi(world, vdi);
    throw error;
  }
}

/** Networks are the same when they are named the same, or on the same bridge; one that is missing is made. */
function networkFor(world: World, objects: Store, ref: string): string {
  const { name_label: name, bridge, uuid: _uuid, ...rest } = objects.get('network', ref);
  const [named] = world.store.byName('network', name);
  const [bridged] = world.store.records('network').find(([, other]) => other.bridge === bridge) ?? [];
  const fresh = { name_label: name, bridge, PIFs: [], VIFs: [], current_operations: {}, blobs: {} };
  return named ?? bridged ?? world.store.create('network', { ...rest, ...fresh });
}

/** Makes the VMs of an archive; all of them, or nothing. Gives their references. */
export async function importVms(
  world: World,
  imported: Imported,
  { sr, restore, force }: ImportOptions,
): Promise<string[]> {
  const { objects } = imported;
  const vms = objects.refs('VM');
  const replaced = () => (restore ? vms.flatMap((vm) => inTheWay(world, objects, vm, force) ?? []) : []);
  // Before anything is written, and again when all is: another import may have come first.
  replaced();
  const known = await createDisks(world, imported, sr, () => replaced().forEach((vm) => removeVm(world, vm)));
  for (const ref of objects.refs('network')) known.set(ref, networkFor(world, objects, ref));
  const changes = changesOnArrival(objects, world, restore);
  const changed = (cls: ClassName, ref: string): RecordValue => {
    if (cls !== 'VM') return changes(cls, ref);
    const hasImage = known.has(objects.get('VM', ref).suspend_VDI);
    return { ...changes(cls, ref), is_a_snapshot: false, ...(hasImage ? {} : { power_state: 'Halted' }) };
  };
  const arriving = objectsThatArrive(objects, vms);
  const refs = copyObjects(objects, world.store, arriving, known, () => world.identities.ref(), changed);
  return vms.flatMap((vm) => refs.get(vm) ?? []);
}
