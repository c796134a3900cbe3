import type { Records } from '../model/records.ts';
import type { World } from '../world/world.ts';

/** A disk that lies on storage and that no record tells of; its content is kept under the reference that it had. */
export interface Unrecorded {
  readonly ref: string;
  readonly record: Records['VDI'];
}

/** What a storage holds that is not in the pool's database. Sizes in bytes. */
export interface Medium {
  readonly uuid: string;
  readonly type: string;
  /** With which it can be reached. */
  readonly device: Readonly<Record<string, string>>;
  readonly sizeBytes: number;
  readonly allocatedBytes: number;
  readonly usedBytes: number;
  readonly disks: readonly Unrecorded[];
}

const noteName = 'media';

/** Every storage that the pool once knew, or knows without all that is on it. */
export const mediaOf = (world: World): readonly Medium[] =>
  JSON.parse(world.note(noteName) ?? '[]') as readonly Medium[];

export const mediumOf = (world: World, uuid: string): Medium | undefined =>
  mediaOf(world).find((medium) => medium.uuid === uuid);

function keep(world: World, medium: Medium): void {
  const others = mediaOf(world).filter(({ uuid }) => uuid !== medium.uuid);
  world.setNote(noteName, JSON.stringify([...others, medium]));
}

/** What is written on the storage itself, with the disks that its records do not tell of. */
export function rememberMedium(world: World, sr: string, more: readonly Unrecorded[] = []): void {
  const { uuid, type, PBDs: pbds, ...sizes } = world.store.get('SR', sr);
  const [pbd] = pbds;
  const known = mediumOf(world, uuid);
  keep(world, {
    uuid,
    type,
    device: pbd === undefined ? (known?.device ?? {}) : world.store.get('PBD', pbd).device_config,
    sizeBytes: sizes.physical_size,
    allocatedBytes: sizes.virtual_allocation,
    usedBytes: sizes.physical_utilisation,
    disks: [...(known?.disks ?? []), ...more],
  });
}

/** A disk's record goes; the disk stays where it is, and so does the room that it takes. */
export function forgetDisk(world: World, vdi: string): void {
  const record = world.store.get('VDI', vdi);
  rememberMedium(world, record.SR, [{ ref: vdi, record: { ...record, VBDs: [], snapshots: [] } }]);
  for (const vbd of record.VBDs) world.store.destroy('VBD', vbd);
  world.store.destroy('VDI', vdi);
}

/** Gives a disk that was found on its storage a record again, with what is new about it. */
export function recordDisk(
  world: World,
  sr: string,
  { ref, record }: Unrecorded,
  more: Partial<Records['VDI']>,
): string {
  const made = world.store.create('VDI', { ...record, SR: sr, ...more });
  world.contents.copy(ref, made);
  world.contents.drop(ref);
  const { uuid } = world.store.get('SR', sr);
  const medium = mediumOf(world, uuid);
  if (medium !== undefined) keep(world, { ...medium, disks: medium.disks.filter((disk) => disk.ref !== ref) });
  return made;
}

/** A storage that was just attached tells how large it is. */
export function readSizes(world: World, sr: string): void {
  const { uuid, physical_size: known } = world.store.get('SR', sr);
  if (known >= 0) return;
  const medium = mediumOf(world, uuid);
  world.store.update('SR', sr, {
    physical_size: medium?.sizeBytes ?? 0,
    physical_utilisation: medium?.usedBytes ?? 0,
    virtual_allocation: medium?.allocatedBytes ?? 0,
  });
}

/** Nothing is left of what was on it. */
export const wipe = (world: World, uuid: string): void =>
  world.setNote(noteName, JSON.stringify(mediaOf(world).filter((medium) => medium.uuid !== uuid)));
