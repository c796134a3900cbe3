import { describe, expect, it } from '@jest/globals';
import { gib, poolWith, vmOf } from './mobility/pool.ts';
import { byName, sharedLab } from './with-lab.ts';

const { lab, client } = sharedLab({ pools: poolWith([vmOf('db')]) });

const srNamed = (name: string) => byName(client(), 'SR', name);

async function createDisk(sr: string, name: string, type = 'user'): Promise<string> {
  const about = { name_label: name, name_description: '', type, sharable: false, read_only: false, other_config: {} };
  return client().call('VDI.create', { ...about, SR: sr, virtual_size: gib });
}

describe('a disk that is forgotten', () => {
  it('stays on its storage with what was written to it, and comes back by a scan as a new object', async () => {
    const sr = await srNamed('shared');
    const used = () => client().call<number>('SR.get_physical_utilisation', sr);
    const vdi = await createDisk(sr, 'lost');
    await lab().world.contents.write(vdi, Buffer.from('kept'));
    const [uuid, before] = [await client().call('VDI.get_uuid', vdi), await used()];
    await client().call('VDI.forget', vdi);
    expect(await client().refusal('VDI.get_record', vdi)).toEqual(['HANDLE_INVALID', 'VDI', vdi]);
    expect(await used()).toBe(before);
    await client().call('SR.scan', sr);
    const back = await client().call('VDI.get_by_uuid', uuid);
    expect(back).not.toBe(vdi);
    expect(String(await lab().world.contents.read(back))).toBe('kept');
  });

  it('is introduced by where it lies, once', async () => {
    const sr = await srNamed('shared');
    const vdi = await createDisk(sr, 'lost');
    const location = await client().call('VDI.get_location', vdi);
    await client().call('VDI.forget', vdi);
    const introduce = (where: string) =>
      ['VDI.introduce', '', 'found', '', sr, 'user', false, false, {}, where, {}, {}, true, 0, 0] as const;
    const found = await client().call(
      ...introduce(location),
      'OpaqueRef:NULL',
      false,
      '19700101T00:00:00Z',
      'OpaqueRef:NULL',
    );
    expect(await client().call('VDI.get_record', found)).toMatchObject({ name_label: 'found', virtual_size: gib });
    expect(await client().refusal(...introduce(location))).toEqual(['LOCATION_NOT_UNIQUE', sr, location]);
    expect(await client().refusal(...introduce('nowhere'))).toEqual(['VDI_LOCATION_MISSING', sr, 'nowhere']);
  });
});

describe('storage that is forgotten', () => {
  it('is found by a probe, introduced, plugged, and shows its disks after a scan', async () => {
    const host = await byName(client(), 'host', 'ams1-h2');
    const device = { device: '/dev/sdb' };
    const sr = await client().call('SR.create', host, device, 50 * gib, 'moved', '', 'ext', 'user', false, {});
    const vdi = await createDisk(sr, 'on it');
    const [uuid, disk] = [await client().call('SR.get_uuid', sr), await client().call('VDI.get_uuid', vdi)];
    expect(await client().refusal('SR.forget', sr)).toEqual(['SR_HAS_PBD', sr]);
    expect(await client().call('SR.get_allowed_operations', sr)).not.toContain('forget');
    const [pbd] = await client().call<string[]>('SR.get_PBDs', sr);
    await client().call('PBD.unplug', pbd);
    expect(await client().call('SR.get_allowed_operations', sr)).toContain('forget');
    expect(await client().refusal('SR.destroy', sr)).toEqual(['SR_NOT_EMPTY']);
    await client().call('SR.forget', sr);
    expect(await client().call('SR.probe', host, device, 'ext', {})).toContain(uuid);
    const again = await client().call('SR.introduce', uuid, 'again', '', 'ext', 'user', false, {});
    expect(await client().call('SR.get_physical_size', again)).toBe(-1);
    expect(await client().refusal('SR.scan', again)).toEqual(['SR_HAS_NO_PBDS', again]);
    const about = { host, SR: again, device_config: device, other_config: {} };
    await client().call('PBD.plug', await client().call('PBD.create', about));
    expect(await client().call('SR.get_physical_size', again)).toBe(50 * gib);
    await client().call('SR.scan', again);
    expect(await client().call('SR.get_VDIs', again)).toEqual([await client().call('VDI.get_by_uuid', disk)]);
    expect(await client().call('SR.get_physical_utilisation', again)).toBe(gib);
    expect(await client().refusal('SR.introduce', uuid, 'twice', '', 'ext', 'user', false, {})).toEqual([
      ...['SR_UUID_EXISTS', uuid],
    ]);
  });

  it('is not unplugged under a running VM', async () => {
    const vm = await byName(client(), 'VM', 'db');
    const [vbd] = await client().call<string[]>('VM.get_VBDs', vm);
    const vdi = await client().call('VBD.get_VDI', vbd);
    const [host, sr] = [await byName(client(), 'host', 'ams1-h1'), await srNamed('shared')];
    const pbds = await client().call<string[]>('host.get_PBDs', host);
    const srs = await Promise.all(pbds.map((pbd) => client().call('PBD.get_SR', pbd)));
    expect(await client().refusal('PBD.unplug', pbds[srs.indexOf(sr)])).toEqual(['VDI_IN_USE', vdi]);
  });
});

describe('a disk that notes its changes', () => {
  it('tells which blocks changed between two snapshots, also when the data of the older one is gone', async () => {
    const vdi = await createDisk(await srNamed('shared'), 'tracked');
    const older = await client().call('VDI.snapshot', vdi, {});
    expect(await client().refusal('VDI.data_destroy', older)).toEqual(['VDI_NO_CBT_METADATA', older]);
    await client().call('VDI.enable_cbt', vdi);
    const first = await client().call('VDI.snapshot', vdi, {});
    await lab().world.contents.write(vdi, Buffer.concat([Buffer.alloc(2 * 65_536), Buffer.from('changed')]));
    const second = await client().call('VDI.snapshot', vdi, {});
    await client().call('VDI.data_destroy', first);
    expect(await client().call('VDI.get_type', first)).toBe('cbt_metadata');
    const bits = Buffer.from(await client().call('VDI.list_changed_blocks', first, second), 'base64');
    expect(bits.length).toBe(gib / 65_536 / 8);
    expect([bits[0], bits[1]]).toEqual([0b0010_0000, 0]);
    expect((await client().refusal('VDI.list_changed_blocks', older, second))[0]).toBe('SR_BACKEND_FAILURE_460');
    expect(await client().refusal('VDI.enable_cbt', second)).toEqual([
      ...['OPERATION_NOT_ALLOWED', `VDI is a snapshot: ${second}`],
    ]);
    expect(await client().refusal('VDI.data_destroy', vdi)).toEqual([
      ...['OPERATION_NOT_ALLOWED', `VDI is not a snapshot: ${vdi}`],
    ]);
  });

  it('is read by NBD where a network is for it', async () => {
    const vdi = await createDisk(await srNamed('shared'), 'exported');
    expect(await client().call('VDI.get_nbd_info', vdi)).toEqual([]);
    await client().call('network.add_purpose', await byName(client(), 'network', 'tenant'), 'nbd');
    const servers = await client().call<readonly { exportname: string }[]>('VDI.get_nbd_info', vdi);
    expect(servers).toHaveLength(3);
    expect(servers[0]).toMatchObject({ port: 10_809 });
  });
});

describe('the database on storage', () => {
  it('is kept where the storage can hold one, which is not everywhere', async () => {
    const nfs = await srNamed('shared');
    expect(await client().refusal('SR.enable_database_replication', nfs)).toEqual(['SR_OPERATION_NOT_SUPPORTED', nfs]);
    const host = await byName(client(), 'host', 'ams1-h1');
    const sr = await client().call('SR.create', host, {}, 10 * gib, 'luns', '', 'lvmoiscsi', 'user', true, {});
    await client().call('SR.enable_database_replication', sr);
    const [vdi = ''] = await client().call<string[]>('SR.get_VDIs', sr);
    const [pool = ''] = await client().call<string[]>('pool.get_all');
    expect(await client().call('VDI.read_database_pool_uuid', vdi)).toBe(await client().call('pool.get_uuid', pool));
    expect(await client().refusal('VDI.open_database', vdi)).toEqual(['VDI_CONTAINS_METADATA_OF_THIS_POOL', vdi, pool]);
    await client().call('SR.disable_database_replication', sr);
    expect(await client().call('SR.get_VDIs', sr)).toEqual([]);
  });
});
