import { describe, expect, it } from '@jest/globals';
import { byName, deploy, freshLab } from './with-lab.ts';

const { lab, client } = freshLab();
const gib = 2 ** 30;

async function createDisk(sr: string, bytes: number): Promise<string> {
  const about = {
    name_label: 'data',
    name_description: '',
    type: 'user',
    sharable: false,
    read_only: false,
    other_config: {},
  };
  return client().call('VDI.create', { SR: await byName(client(), 'SR', sr), virtual_size: bytes, ...about });
}

const drive = (vm: string, vdi: string, userdevice: string, more: object = {}) => ({
  ...{ VM: vm, VDI: vdi, userdevice, bootable: false, mode: 'RW', type: 'Disk', empty: false, unpluggable: true },
  ...{ other_config: {}, qos_algorithm_type: '', qos_algorithm_params: {}, ...more },
});

const used = async (sr: string) =>
  client().call<number>('SR.get_physical_utilisation', await byName(client(), 'SR', sr));

describe('disks', () => {
  it('take space from their SR and give it back', async () => {
    const before = await used('shared');
    const vdi = await createDisk('shared', 5 * gib);
    expect(await used('shared')).toBe(before + 5 * gib);
    await client().call('VDI.resize', vdi, 8 * gib);
    expect(await used('shared')).toBe(before + 8 * gib);
    expect((await client().refusal('VDI.resize', vdi, gib))[0]).toBe('SR_BACKEND_FAILURE_79');
    await client().call('VDI.destroy', vdi);
    expect(await used('shared')).toBe(before);
  });

  it('are refused when the SR is full', async () => {
    const before = lab().snapshot();
    await expect(createDisk('local-h1', 201 * gib)).rejects.toThrow('SR_BACKEND_FAILURE_44');
    expect(lab().diff(before)).toEqual([]);
  });

  it('are cloned without taking space, and copied with it', async () => {
    const before = await used('shared');
    await client().call('VM.clone', await byName(client(), 'VM', 'debian-12'), 'clone');
    expect(await used('shared')).toBe(before);
    await client().call('VM.copy', await byName(client(), 'VM', 'debian-12'), 'copy', 'OpaqueRef:NULL');
    expect(await used('shared')).toBe(before + 10 * gib);
  });

  it('list their drives, which go with them', async () => {
    const vm = await deploy(client(), 'web-1');
    const vdi = await createDisk('shared', gib);
    const vbd = await client().call('VBD.create', drive(vm, vdi, 'autodetect'));
    expect(await client().call('VDI.get_VBDs', vdi)).toEqual([vbd]);
    expect(await client().call('VBD.get_userdevice', vbd)).toBe('1');
    await client().call('VDI.destroy', vdi);
    expect(await client().refusal('VBD.get_record', vbd)).toEqual(['HANDLE_INVALID', 'VBD', vbd]);
    expect(await client().call<string[]>('VM.get_VBDs', vm)).toHaveLength(1);
  });
});

describe('drives', () => {
  it('take a free device only', async () => {
    const vm = await deploy(client(), 'web-1');
    const vdi = await createDisk('shared', gib);
    expect(await client().refusal('VBD.create', drive(vm, vdi, '0'))).toEqual(['DEVICE_ALREADY_EXISTS', '0']);
    expect(await client().refusal('VBD.create', drive(vm, vdi, 'zzz'))).toEqual(['INVALID_DEVICE', 'zzz']);
    expect(await client().refusal('VBD.create', drive(vm, vdi, '3', { type: 'CD' }))).toEqual([
      'VBD_CDS_MUST_BE_READONLY',
    ]);
    const free = await client().call<string[]>('VM.get_allowed_VBD_devices', vm);
    expect(free.slice(0, 3)).toEqual(['1', '2', '3']);
    await client().call('VBD.create', drive(vm, vdi, '1'));
    expect(await client().call<string[]>('VM.get_allowed_VBD_devices', vm)).not.toContain('1');
  });

  it('are plugged and unplugged while the VM runs', async () => {
    const vm = await deploy(client(), 'web-1');
    const vbd = await client().call('VBD.create', drive(vm, await createDisk('shared', gib), '1'));
    expect(await client().refusal('VBD.plug', vbd)).toEqual(['VM_BAD_POWER_STATE', vm, 'running', 'halted']);
    await client().call('VM.start', vm, false, false);
    expect(await client().refusal('VBD.plug', vbd)).toEqual(['DEVICE_ALREADY_ATTACHED', vbd]);
    await client().call('VBD.unplug', vbd);
    expect(await client().call('VBD.get_currently_attached', vbd)).toBe(false);
    await client().call('VBD.destroy', vbd);
    const [boot] = await client().call<string[]>('VM.get_VBDs', vm);
    expect(await client().refusal('VBD.unplug', boot)).toEqual(['VBD_NOT_UNPLUGGABLE', boot]);
  });
});

describe('interfaces', () => {
  const vif = async (vm: string, device: string, mac: string) => ({
    ...{ VM: vm, network: await byName(client(), 'network', 'tenant'), device, MAC: mac, MTU: 1500 },
    ...{ other_config: {}, qos_algorithm_type: '', qos_algorithm_params: {} },
  });

  it('get a MAC of their own for an empty one, the same for the same VM and device', async () => {
    const vm = await deploy(client(), 'web-1');
    const first = await client().call('VIF.create', await vif(vm, '1', ''));
    const mac = await client().call('VIF.get_MAC', first);
    expect(mac).toMatch(/^[0-9a-f][26ae](:[0-9a-f]{2}){5}$/);
    await client().call('VIF.destroy', first);
    const second = await client().call('VIF.create', await vif(vm, '1', ''));
    expect(await client().call('VIF.get_MAC', second)).toBe(mac);
  });

  it('take a free device and a MAC that is one', async () => {
    const vm = await deploy(client(), 'web-1');
    expect(await client().refusal('VIF.create', await vif(vm, '0', ''))).toEqual(['DEVICE_ALREADY_EXISTS', '0']);
    expect(await client().refusal('VIF.create', await vif(vm, '1', 'zz'))).toEqual(['MAC_INVALID', 'zz']);
    expect(await client().call('VM.get_allowed_VIF_devices', vm)).toEqual(['1', '2', '3', '4', '5', '6']);
  });
});

describe('maps', () => {
  it('refuse a key that is there, even with the same value, and forgive the removal of one that is not', async () => {
    const vm = await deploy(client(), 'web-1');
    await client().call('VM.add_to_other_config', vm, 'k', 'v');
    expect(await client().refusal('VM.add_to_other_config', vm, 'k', 'v')).toEqual([
      'MAP_DUPLICATE_KEY',
      'VM',
      'other_config',
      vm,
      'k',
    ]);
    await client().call('VM.remove_from_other_config', vm, 'nosuch');
    await client().call('VM.remove_from_other_config', vm, 'k');
    expect(await client().call('VM.get_other_config', vm)).not.toHaveProperty('k');
  });

  it('of tags keep one entry per tag that is added', async () => {
    const vm = await deploy(client(), 'web-1');
    await client().call('VM.add_tags', vm, 't');
    await client().call('VM.add_tags', vm, 't');
    expect(await client().call('VM.get_tags', vm)).toEqual(['t']);
  });
});
