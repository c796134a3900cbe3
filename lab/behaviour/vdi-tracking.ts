import type { Handlers } from '../dispatch/call.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { XapiError, internalError } from '../xapi-error.ts';
import { isAttached, setUtilisation } from './vdi.ts';

const blockBytes = 65_536;
const nbdPort = 10_809;
const nbdPurposes = ['nbd', 'insecure_nbd'];

/** Only a disk that is no snapshot can begin or stop to note its changes. Throws OPERATION_NOT_ALLOWED, VDI_INCOMPATIBLE_TYPE. */
function setTracking(world: World, vdi: string, tracks: boolean): void {
  const { is_a_snapshot: isSnapshot, type, on_boot: onBoot } = world.store.get('VDI', vdi);
  if (isSnapshot) throw new XapiError('OPERATION_NOT_ALLOWED', `VDI is a snapshot: ${vdi}`);
  if (!['user', 'system'].includes(type)) throw new XapiError('VDI_INCOMPATIBLE_TYPE', vdi, type);
  if (onBoot === 'reset') throw new XapiError('VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION');
  world.store.update('VDI', vdi, { cbt_enabled: tracks });
}

/** What a snapshot held goes; what changed since stays known. */
function destroyData(world: World, vdi: string): void {
  const { is_a_snapshot: isSnapshot, cbt_enabled: tracks, type, VBDs: vbds } = world.store.get('VDI', vdi);
  if (type === 'cbt_metadata') return;
  if (!isSnapshot) throw new XapiError('OPERATION_NOT_ALLOWED', `VDI is not a snapshot: ${vdi}`);
  if (!tracks) throw new XapiError('VDI_NO_CBT_METADATA', vdi);
  if (isAttached(world, vdi)) throw new XapiError('VDI_IN_USE', vdi, 'data_destroy');
  for (const vbd of vbds) world.store.destroy('VBD', vbd);
  world.contents.drop(vdi);
  setUtilisation(world, vdi, 0);
  world.store.update('VDI', vdi, { type: 'cbt_metadata' });
}

/** What was never written reads as zeros. */
const blockAt = (content: Buffer, at: number): Buffer =>
  Buffer.concat([content.subarray(at, at + blockBytes), Buffer.alloc(blockBytes)], blockBytes);

/** One bit per 64 KiB, the first block's the highest of the first byte; set where the two differ. In base64. */
function differences(from: Buffer, to: Buffer, sizeBytes: number): string {
  const bits = Buffer.alloc(Math.ceil(Math.ceil(sizeBytes / blockBytes) / 8));
  const end = Math.max(from.length, to.length);
  for (let at = 0; at < end; at += blockBytes) {
    const block = at / blockBytes;
    if (!blockAt(from, at).equals(blockAt(to, at))) bits[block >> 3] = (bits[block >> 3] ?? 0) | (128 >> (block & 7));
  }
  return bits.toString('base64');
}

/** Throws SR_BACKEND_FAILURE_460, as the storage layer does, where one of the disks does not note its changes. */
async function changedBlocks(world: World, from: string, to: string): Promise<string> {
  const [older, newer] = [world.store.get('VDI', from), world.store.get('VDI', to)];
  if (older.SR !== newer.SR) throw internalError(`Storage_interface.Vdis_on_different_srs("${from}", "${to}")`);
  if (!older.cbt_enabled || !newer.cbt_enabled) {
    const why = 'Failed to calculate changed blocks for given VDIs. [opterr=Source and target VDI are unrelated]';
    throw new XapiError('SR_BACKEND_FAILURE_460', '', why, '');
  }
  const [before, after] = [await world.contents.read(from), await world.contents.read(to)];
  return differences(before ?? Buffer.alloc(0), after ?? Buffer.alloc(0), newer.virtual_size);
}

/** Where the disk can be read by NBD: at every address that its hosts have in a network for it. Throws VDI_INCOMPATIBLE_TYPE. */
function nbdServers(world: World, vdi: string, session: string): readonly Readonly<Record<string, string | number>>[] {
  const { type, uuid, SR: sr } = world.store.get('VDI', vdi);
  if (type === 'cbt_metadata') throw new XapiError('VDI_INCOMPATIBLE_TYPE', vdi, type);
  const networks = world.store
    .records('network')
    .filter(([, { purpose }]) => purpose.some((use) => nbdPurposes.includes(use)))
    .map(([ref]) => ref);
  const hosts = world.store
    .get('SR', sr)
    .PBDs.map((ref) => world.store.get('PBD', ref))
    .filter((pbd) => pbd.currently_attached && pbd.host !== nullRef)
    .map((pbd) => pbd.host);
  return hosts
    .flatMap((host) => world.store.get('host', host).PIFs.map((ref) => world.store.get('PIF', ref)))
    .filter(({ network, IP: address }) => address !== '' && networks.includes(network))
    .map(({ IP: address }) => ({
      exportname: `/${uuid}?session_id=${session}`,
      address,
      port: nbdPort,
      cert: '',
      subject: '',
    }));
}

/** Which blocks of a disk changed from one snapshot to the next, and where a backup reads them. */
export const vdiTracking: Handlers = {
  'VDI.enable_cbt': ({ world }, vdi) => setTracking(world, vdi, true),
  'VDI.disable_cbt': ({ world }, vdi) => setTracking(world, vdi, false),
  'VDI.data_destroy': ({ world }, vdi) => destroyData(world, vdi),
  'VDI.list_changed_blocks': ({ world }, from, to) => changedBlocks(world, from, to),
  'VDI.get_nbd_info': ({ world, session }, vdi) => nbdServers(world, vdi, session),
};
