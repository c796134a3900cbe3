import { describe, expect, it } from '@jest/globals';
import { gib, poolWith, refsOf, vmOf } from './mobility/pool.ts';
import { byName, deploy, sharedLab } from './with-lab.ts';
import { poolOf } from '../../lab/scenario.ts';

const { lab, client } = sharedLab({ pools: poolWith([vmOf('db'), vmOf('web')]) });

const limits = { qos_algorithm_type: '', qos_algorithm_params: {}, other_config: {} };

describe('a VM', () => {
  it('has the plugins of its host called, which are none here', async () => {
    const { vms } = await refsOf(client(), 'db');
    const [vm] = vms;
    expect(await client().refusal('VM.call_host_plugin', vm, 'nosuch', 'fn', {})).toEqual([
      'XENAPI_MISSING_PLUGIN',
      'nosuch',
    ]);
    const halted = await deploy(client(), 'halted');
    expect((await client().refusal('VM.call_host_plugin', halted, 'nosuch', 'fn', {}))[0]).toBe('VM_BAD_POWER_STATE');
  });

  it('takes the BIOS strings of a host once, before it has any', async () => {
    const { h1 } = await refsOf(client());
    const vm = await deploy(client(), 'oem');
    lab().world.store.update('host', h1, { bios_strings: { 'bios-vendor': 'Maker', 'bios-version': '7' } });
    await client().call('VM.copy_bios_strings', vm, h1);
    expect(await client().call('VM.get_bios_strings', vm)).toEqual({ 'bios-vendor': 'Maker', 'bios-version': '7' });
    expect(await client().refusal('VM.copy_bios_strings', vm, h1)).toEqual(['VM_BIOS_STRINGS_ALREADY_SET']);
  });

  it('takes BIOS strings that are known, not empty, not too long and printable, and has the usual ones beside', async () => {
    const vm = await deploy(client(), 'branded');
    const told = (value: Record<string, string>) => client().refusal('VM.set_bios_strings', vm, value);
    const long = 'x'.repeat(513);
    expect(await told({ 'oem-1': 'x' })).toEqual(['INVALID_VALUE', 'oem-1', 'Unknown key']);
    expect(await told({ 'bios-vendor': '' })).toEqual(['INVALID_VALUE', 'bios-vendor', 'Value provided is empty']);
    expect(await told({ 'bios-vendor': long })).toEqual([
      'INVALID_VALUE',
      'bios-vendor',
      `${long} has length more than 512 characters`,
    ]);
    expect(await told({ 'bios-vendor': 'Müller' })).toEqual([
      'INVALID_VALUE',
      'bios-vendor',
      'Müller has non-printable ASCII characters',
    ]);
    await client().call('VM.set_bios_strings', vm, { 'bios-vendor': 'Maker' });
    expect(await client().call('VM.get_bios_strings', vm)).toMatchObject({
      'bios-vendor': 'Maker',
      'system-product-name': 'HVM domU',
      'oem-1': 'Xen',
    });
    expect(await told({ 'bios-version': '8' })).toEqual(['VM_BIOS_STRINGS_ALREADY_SET']);
  });

  it('tells how far it is with secure boot', async () => {
    const vm = await deploy(client(), 'uefi');
    const readiness = () => client().call('VM.get_secureboot_readiness', vm);
    expect(await readiness()).toBe('not_supported');
    await client().call('VM.set_HVM_boot_params', vm, { firmware: 'uefi' });
    expect(await readiness()).toBe('disabled');
    await client().call('VM.add_to_platform', vm, 'secureboot', 'true');
    expect(await readiness()).toBe('first_boot');
    await client().call('VM.add_to_NVRAM', vm, 'EFI-variables', 'AAAA');
    expect(await readiness()).toBe('ready');
  });

  it('is snapshotted with the others of its schedule, now', async () => {
    const { vms } = await refsOf(client(), 'db', 'web');
    const about = { name_label: 'nightly', name_description: '', enabled: true, type: 'snapshot' };
    const when = { retained_snapshots: 7, frequency: 'daily', schedule: { hour: '1', min: '0' } };
    const schedule = await client().call('VMSS.create', { ...about, ...when });
    for (const vm of vms) await client().call('VM.set_snapshot_schedule', vm, schedule);
    expect((await client().call<string[]>('VMSS.get_VMs', schedule)).sort()).toEqual([...vms].sort());
    await client().call('VMSS.snapshot_now', schedule);
    for (const vm of vms) {
      const [snapshot = ''] = await client().call<string[]>('VM.get_snapshots', vm);
      expect(await client().call('VM.get_name_label', snapshot)).toMatch(/^nightly /);
    }
  });
});

describe('storage', () => {
  it('is found behind its device, with its size, known to the pool or not', async () => {
    const { h1 } = await refsOf(client());
    const sr = await byName(client(), 'SR', 'shared');
    const [pbd = ''] = await client().call<string[]>('SR.get_PBDs', sr);
    const device = await client().call<Record<string, string>>('PBD.get_device_config', pbd);
    const [found] = await client().call<unknown[]>('SR.probe_ext', h1, device, 'nfs', {});
    const uuid = await client().call('SR.get_uuid', sr);
    expect(found).toMatchObject({
      complete: true,
      configuration: device,
      sr: [{ uuid: [uuid], total_space: 1024 * gib }],
    });
    expect(await client().call('SR.probe_ext', h1, { server: '192.0.2.99' }, 'nfs', {})).toEqual([]);
    expect(await client().refusal('SR.probe_ext', h1, device, 'nosuch', {})).toEqual(['SR_UNKNOWN_DRIVER', 'nosuch']);
  });

  it('has one connection to a host: a second one asked for is the first', async () => {
    const sr = await byName(client(), 'SR', 'shared');
    const { h2 } = await refsOf(client());
    const pbds = await client().call<Record<string, { SR: string; host: string }>>('PBD.get_all_records');
    const [known] = Object.entries(pbds).find(([, pbd]) => pbd.SR === sr && pbd.host === h2) ?? [];
    const again = { host: h2, SR: sr, device_config: { server: 'other' }, other_config: {} };
    expect(await client().call('PBD.create', again)).toBe(known);
    expect(await client().call<string[]>('SR.get_PBDs', sr)).toHaveLength(3);
  });

  it('lets a disk be attached read-write where nobody else has it so', async () => {
    const { vms } = await refsOf(client(), 'db', 'web');
    const [vbd = ''] = await client().call<string[]>('VM.get_VBDs', vms[0]);
    const vdi = await client().call('VBD.get_VDI', vbd);
    const drive = { VDI: vdi, bootable: false, type: 'Disk', empty: false, unpluggable: true, ...limits };
    const add = (userdevice: string, mode: string) =>
      client().call('VBD.create', { ...drive, VM: vms[1], userdevice, mode });
    expect(await client().refusal('VBD.assert_attachable', await add('5', 'RW'))).toEqual([
      'VDI_IN_USE',
      vdi,
      'attach',
    ]);
    expect(await client().call('VBD.assert_attachable', vbd)).toBe('');
  });
});

describe('an interface that only the database knows', () => {
  it('comes with everything that is said of it, and goes without a question', async () => {
    const { h3 } = await refsOf(client());
    const network = await byName(client(), 'network', 'tenant');
    const card = ['eth7', network, h3, '02:00:00:00:00:07', 9000, -1, true] as const;
    const address = ['Static', '192.0.2.7', '255.255.255.0', '192.0.2.1', '192.0.2.53'] as const;
    const rest = ['OpaqueRef:NULL', 'OpaqueRef:NULL', false, { note: 'by hand' }] as const;
    const pif = await client().call('PIF.db_introduce', ...card, ...address, ...rest);
    expect(await client().call('PIF.get_record', pif)).toMatchObject({
      ...{ device: 'eth7', host: h3, network, MTU: 9000, physical: true, IP: '192.0.2.7', DNS: '192.0.2.53' },
      ...{ currently_attached: false, other_config: { note: 'by hand' }, managed: true },
    });
    expect(await client().call<string[]>('host.get_PIFs', h3)).toContain(pif);
    await client().call('PIF.db_forget', pif);
    expect(await client().refusal('PIF.get_record', pif)).toEqual(['HANDLE_INVALID', 'PIF', pif]);
    expect(await client().call<string[]>('host.get_PIFs', h3)).not.toContain(pif);
  });
});

describe('a VM of XCP-ng', () => {
  const xcp = sharedLab({ pools: [{ ...poolOf('xcp-ng-8.3'), vms: [vmOf('db', { host: 'xcp-ng-8.3-h1' })] }] });

  it("does not know the call to its host's plugins yet", async () => {
    const vm = await byName(xcp.client(), 'VM', 'db');
    expect((await xcp.client().refusal('VM.call_host_plugin', vm, 'updater.py', 'check_update', {}))[0]).toBe(
      'MESSAGE_METHOD_UNKNOWN',
    );
  });
});

describe('a pool', () => {
  it('has the roles that every pool has, which its events do not tell of', async () => {
    const roles = Object.entries(await client().call<Record<string, { name_label: string }>>('role.get_all_records'));
    expect(roles.map(([, { name_label: name }]) => name).sort()).toEqual([
      ...['pool-admin', 'pool-operator', 'read-only', 'vm-admin', 'vm-operator', 'vm-power-admin'],
    ]);
    expect(await byName(client(), 'role', 'pool-admin')).toBe('OpaqueRef:0165f154-ba3e-034e-6b27-5d271af109ba');
    const batch = await client().call<{ events: unknown[]; valid_ref_counts: Record<string, number> }>(
      ...(['event.from', ['role'], '', 0] as const),
    );
    expect([batch.events, batch.valid_ref_counts['role']]).toEqual([[], 0]);
  });
});
