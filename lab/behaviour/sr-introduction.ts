import type { Handlers } from '../dispatch/call.ts';
import type { Messages } from '../model/messages.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { assertNotForHa } from './ha-plan.ts';
import { assertDriver } from './sr.ts';
import type { Medium } from './sr-contents.ts';
import { forgetDisk, mediaOf, mediumOf, recordDisk } from './sr-contents.ts';
import { createVdi, destroyVdi, isAttached } from './vdi.ts';

type Texts = Readonly<Record<string, string>>;

/** What the storage layer can write a pool's database to. */
const typesWithMetadata = ['lvmohba', 'lvmoiscsi'];

/** Throws SR_UNKNOWN_DRIVER, SR_UUID_EXISTS. Its sizes are -1 until a host is connected to it. */
function introduceSr(world: World, ...about: Messages['SR.introduce']): string {
  const [uuid, name, description, type, contentType, shared, config = {}] = about;
  assertDriver(type.toLowerCase());
  if (world.store.byUuid('SR', uuid) !== undefined) throw new XapiError('SR_UUID_EXISTS', uuid);
  return world.store.create('SR', {
    uuid,
    name_label: name,
    name_description: description,
    type: type.toLowerCase(),
    content_type: contentType,
    shared,
    sm_config: config,
    physical_size: -1,
    physical_utilisation: -1,
  });
}

const isPlugged = (world: World, sr: string): boolean =>
  world.store.get('SR', sr).PBDs.some((pbd) => world.store.get('PBD', pbd).currently_attached);

/** Every disk on the storage has a record afterwards. Throws SR_HAS_NO_PBDS. */
function scan(world: World, sr: string): void {
  if (!isPlugged(world, sr)) throw new XapiError('SR_HAS_NO_PBDS', sr);
  const { uuid } = world.store.get('SR', sr);
  for (const disk of mediumOf(world, uuid)?.disks ?? []) recordDisk(world, sr, disk, {});
}

/** Throws SR_HAS_NO_PBDS, LOCATION_NOT_UNIQUE, VDI_LOCATION_MISSING. */
function introduceVdi(world: World, ...about: Messages['VDI.introduce']): string {
  const [uuid, name, description, sr, type, sharable, readOnly, config, location] = about;
  if (!isPlugged(world, sr)) throw new XapiError('SR_HAS_NO_PBDS', sr);
  const isKnown = world.store.get('SR', sr).VDIs.some((vdi) => world.store.get('VDI', vdi).location === location);
  if (isKnown) throw new XapiError('LOCATION_NOT_UNIQUE', sr, location);
  const { uuid: srUuid } = world.store.get('SR', sr);
  const disk = mediumOf(world, srUuid)?.disks.find(({ record }) => record.location === location);
  if (disk === undefined) throw new XapiError('VDI_LOCATION_MISSING', sr, location);
  return recordDisk(world, sr, disk, {
    uuid: uuid === '' ? disk.record.uuid : uuid,
    ...{ name_label: name, name_description: description, type, sharable, read_only: readOnly, other_config: config },
  });
}

function forgetVdi(world: World, vdi: string): void {
  assertNotForHa(world, vdi);
  if (isAttached(world, vdi)) throw new XapiError('VDI_IN_USE', vdi, 'forget');
  forgetDisk(world, vdi);
}

const matches = (device: Texts, wanted: Texts): boolean =>
  Object.entries(wanted).every(([key, value]) => device[key] === value);

/** What is found behind a device: storage that the pool knows and storage that it has forgotten. */
function probed(world: World, wanted: Texts, type: string): Pick<Medium, 'uuid' | 'device' | 'sizeBytes'>[] {
  assertDriver(type.toLowerCase());
  const known = world.store.records('SR').flatMap(([, { uuid, type: of, PBDs: pbds, physical_size: sizeBytes }]) => {
    const device = pbds.map((pbd) => world.store.get('PBD', pbd).device_config).find((one) => matches(one, wanted));
    return of === type && device !== undefined ? [{ uuid, device, sizeBytes }] : [];
  });
  const forgotten = mediaOf(world).filter(
    ({ uuid, device, type: of }) =>
      of === type && matches(device, wanted) && world.store.byUuid('SR', uuid) === undefined,
  );
  return [...known, ...forgotten];
}

const probeText = (uuids: readonly string[]): string =>
  [
    '<?xml version="1.0" ?>',
    '<SRlist>',
    ...uuids.map((uuid) => `\t<SR>\n\t\t<UUID>\n\t\t\t${uuid}\n\t\t</UUID>\n\t</SR>`),
    '</SRlist>',
    '',
  ].join('\n');

/** Throws SR_HAS_NO_PBDS unless every host is connected, SR_OPERATION_NOT_SUPPORTED by its type. */
function assertReplicates(world: World, sr: string): void {
  const { PBDs: pbds, type } = world.store.get('SR', sr);
  const attached = pbds.map((pbd) => world.store.get('PBD', pbd)).filter((pbd) => pbd.currently_attached);
  const everywhere = world.store.refs('host').every((host) => attached.some((pbd) => pbd.host === host));
  if (!everywhere) throw new XapiError('SR_HAS_NO_PBDS', sr);
  if (!typesWithMetadata.includes(type)) throw new XapiError('SR_OPERATION_NOT_SUPPORTED', sr);
}

const metadataDisks = (world: World, sr: string): string[] =>
  world.store.get('SR', sr).VDIs.filter((vdi) => world.store.get('VDI', vdi).metadata_of_pool === world.pool.ref);

const metadataBytes = 256 * 2 ** 20;

function replicate(world: World, sr: string): void {
  assertReplicates(world, sr);
  if (metadataDisks(world, sr).length > 0) return;
  const about = { name_label: 'Metadata for DR', name_description: 'Used for disaster recovery', type: 'metadata' };
  const vdi = createVdi(world, { ...about, SR: sr, virtual_size: metadataBytes });
  world.store.update('VDI', vdi, { metadata_of_pool: world.pool.ref, metadata_latest: true });
}

/** Storage and disks that come to the pool as they are, and go without being lost. */
export const srIntroduction: Handlers = {
  'SR.introduce': ({ world }, ...about) => introduceSr(world, ...about),
  'SR.scan': ({ world }, sr) => scan(world, sr),
  'SR.probe': ({ world }, _host, device, type) => probeText(probed(world, device, type).map(({ uuid }) => uuid)),
  'SR.probe_ext': ({ world }, _host, device, type) =>
    probed(world, device, type).map(({ uuid, device: configuration, sizeBytes }) => ({
      configuration,
      complete: true,
      sr: {
        ...{ uuid, name_label: '', name_description: '', free_space: 0, total_space: sizeBytes },
        ...{ clustered: false, health: 'healthy' },
      },
      extra_info: {},
    })),
  'SR.assert_supports_database_replication': ({ world }, sr) => assertReplicates(world, sr),
  'SR.enable_database_replication': ({ world }, sr) => replicate(world, sr),
  'SR.disable_database_replication': ({ world }, sr) => {
    for (const vdi of metadataDisks(world, sr)) destroyVdi(world, vdi);
  },
  'VDI.read_database_pool_uuid': ({ world }, vdi) => {
    const { metadata_of_pool: pool } = world.store.get('VDI', vdi);
    return world.store.find('pool', pool)?.uuid ?? '';
  },
  'VDI.open_database': ({ world }, vdi) => {
    const { type, metadata_of_pool: pool } = world.store.get('VDI', vdi);
    if (type !== 'metadata') throw new XapiError('VDI_INCOMPATIBLE_TYPE', vdi, type);
    throw new XapiError('VDI_CONTAINS_METADATA_OF_THIS_POOL', vdi, pool);
  },
  'VDI.introduce': ({ world }, ...about) => introduceVdi(world, ...about),
  'VDI.forget': ({ world }, vdi) => forgetVdi(world, vdi),
};
