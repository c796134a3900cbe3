import { describe, expect, it } from '@jest/globals';
import { byName, deploy, freshLab } from './with-lab.ts';

const { lab, client } = freshLab();
const gib = 2 ** 30;

interface Vm {
  readonly [field: string]: unknown;
  readonly other_config: Readonly<Record<string, string>>;
  readonly allowed_operations: readonly string[];
  readonly VBDs: readonly string[];
  readonly VIFs: readonly string[];
  readonly guest_metrics: string;
}
const record = (vm: string) => client().call<Vm>('VM.get_record', vm);

async function untilGuestReports(vm: string): Promise<void> {
  for (let token = ''; (await record(vm)).guest_metrics === 'OpaqueRef:NULL';) {
    token = (await client().call<{ token: string }>('event.from', [`vm/${vm}`], token, 5.5)).token;
  }
}

describe('a VM from its template to its end', () => {
  it('stays a template until it is provisioned, and keeps its own mac_seed', async () => {
    const template = await byName(client(), 'VM', 'debian-12');
    const vm = await client().call('VM.clone', template, 'web-1');
    const cloned = await record(vm);
    expect(cloned).toMatchObject({ is_a_template: true, name_label: 'web-1' });
    expect(cloned.other_config['base_template_name']).toBe('debian-12');
    expect(cloned.other_config['mac_seed']).not.toBe((await record(template)).other_config['mac_seed']);
    expect(await client().refusal('VM.start', vm, false, false)).toEqual(['VM_IS_TEMPLATE', vm, 'start']);
    await client().call('VM.provision', vm);
    expect(await record(vm)).toMatchObject({ is_a_template: false });
    expect(await client().refusal('VM.provision', vm)).toEqual(['PROVISION_ONLY_ALLOWED_ON_TEMPLATE']);
  });

  it('gets the disks that its template lists, and loses the list', async () => {
    const vm = await client().call('VM.clone', await byName(client(), 'VM', 'debian-12'), 'web-1');
    const sr = await client().call('SR.get_uuid', await byName(client(), 'SR', 'shared'));
    await client().call(
      'VM.add_to_other_config',
      vm,
      'disks',
      `<provision><disk device="1" size="${gib}" sr="${sr}" bootable="false" type="system"/></provision>`,
    );
    await client().call('VM.provision', vm);
    const { VBDs: vbds, other_config: config } = await record(vm);
    expect(config).not.toHaveProperty('disks');
    const vdi = await client().call('VBD.get_VDI', vbds[0]);
    expect(await client().call('VDI.get_record', vdi)).toMatchObject({
      name_label: '1',
      name_description: 'Created by template provisioner',
      virtual_size: gib,
    });
  });

  it('is no template any more when provisioning fails for an unknown SR', async () => {
    const vm = await client().call('VM.clone', await byName(client(), 'VM', 'debian-12'), 'web-1');
    await client().call(
      'VM.add_to_other_config',
      vm,
      'disks',
      '<provision><disk device="1" size="1" sr="" bootable="false" type="system"/></provision>',
    );
    expect(await client().refusal('VM.provision', vm)).toEqual(['UUID_INVALID', 'sr', '']);
    expect(await record(vm)).toMatchObject({ is_a_template: false });
  });

  it.each([
    ['no XML', '<provision><disk', 'Xmlm.Error'],
    ['another document', '<disks/>', 'Xapi_templates.Parse_failure'],
    ['something else than disks', '<provision><cd device="1"/></provision>', 'Xapi_templates.Parse_failure'],
    ['a disk without its size', '<provision><disk device="1" sr="" bootable="true"/></provision>', 'Parse_failure'],
    [
      'a size that is no number',
      '<provision><disk device="1" size="1G" sr="" bootable="true"/></provision>',
      'Parse_failure',
    ],
  ])('is no template any more, and has got no disk, when its list of disks is %s', async (_what, disks, words) => {
    const vm = await client().call('VM.clone', await byName(client(), 'VM', 'debian-12'), 'web-1');
    const { VBDs: before } = await record(vm);
    await client().call('VM.add_to_other_config', vm, 'disks', disks);
    const [code, text] = await client().refusal('VM.provision', vm);
    expect([code, text]).toEqual(['INTERNAL_ERROR', expect.stringContaining(words)]);
    expect(await record(vm)).toMatchObject({ is_a_template: false, VBDs: before, other_config: { disks } });
  });

  it('gets system disks that cannot be unplugged and others that can, as its template lists them', async () => {
    const vm = await client().call('VM.clone', await byName(client(), 'VM', 'debian-12'), 'web-1');
    const sr = await client().call('SR.get_uuid', await byName(client(), 'SR', 'shared'));
    const disk = (device: number, type: string) =>
      `<disk device='${device}' size="1024" sr="${sr}" bootable="false"${type}/>`;
    const disks = `<provision>\n  ${disk(1, ' type="user"')}\n  ${disk(2, '')}\n</provision>`;
    await client().call('VM.add_to_other_config', vm, 'disks', disks);
    await client().call('VM.provision', vm);
    const drives = await Promise.all(
      (await record(vm)).VBDs.map((vbd) =>
        client().call<{ userdevice: string; unpluggable: boolean }>('VBD.get_record', vbd),
      ),
    );
    expect(drives.find(({ userdevice }) => userdevice === '1')).toMatchObject({ unpluggable: true });
    expect(drives.find(({ userdevice }) => userdevice === '2')).toMatchObject({ unpluggable: false });
  });

  it('runs, is shut down by its agent, and leaves its disks when it is destroyed', async () => {
    const vm = await deploy(client(), 'web-1');
    const vdi = await client().call('VBD.get_VDI', (await record(vm)).VBDs[0]);
    await client().call('VM.start', vm, false, false);
    expect(await record(vm)).toMatchObject({ power_state: 'Running' });
    expect(await client().refusal('VM.destroy', vm)).toEqual([
      'VM_BAD_POWER_STATE',
      vm,
      'halted, suspended',
      'running',
    ]);
    expect(await client().refusal('VDI.destroy', vdi)).toEqual(['VDI_IN_USE', vdi, 'destroy']);
    await untilGuestReports(vm);
    await client().call('VM.clean_shutdown', vm);
    expect(await record(vm)).toMatchObject({
      power_state: 'Halted',
      resident_on: 'OpaqueRef:NULL',
      domid: -1,
    });
    const { guest_metrics: lastWords } = await record(vm);
    expect(await client().call('VM_guest_metrics.get_live', lastWords)).toBe(true);
    await client().call('VM.destroy', vm);
    expect(await client().refusal('VM_guest_metrics.get_live', lastWords)).toContain('HANDLE_INVALID');
    expect(await client().call('VDI.get_VBDs', vdi)).toEqual([]);
    await client().call('VDI.destroy', vdi);
    expect(await client().refusal('VM.get_record', vm)).toEqual(['HANDLE_INVALID', 'VM', vm]);
  });

  it('has guest metrics only once its guest reports, and cannot be asked politely before', async () => {
    lab().plan({ method: 'guest.boot', object: 'web-1', kind: 'never-boots' });
    const vm = await deploy(client(), 'web-1');
    await client().call('VM.start', vm, false, false);
    expect(await client().refusal('VM.clean_shutdown', vm)).toEqual(['VM_LACKS_FEATURE', vm]);
    expect((await record(vm)).allowed_operations).not.toContain('clean_shutdown');
    await client().call('VM.hard_shutdown', vm);
    await client().call('VM.start', vm, false, false);
    await untilGuestReports(vm);
    const metrics = await client().call<{ networks: Record<string, string> }>(
      'VM_guest_metrics.get_record',
      (await record(vm)).guest_metrics,
    );
    expect(Object.keys(metrics.networks)).toEqual(['0/ip', '0/ipv4/0']);
    expect((await record(vm)).allowed_operations).toContain('clean_shutdown');
  });

  it('posts an alert of each start and stop', async () => {
    const vm = await deploy(client(), 'web-1');
    await client().call('VM.start', vm, false, false);
    await client().call('VM.hard_shutdown', vm);
    const messages =
      await client().call<Record<string, { name: string; priority: number; obj_uuid: string }>>(
        'message.get_all_records',
      );
    const uuid = await client().call('VM.get_uuid', vm);
    const own = Object.values(messages).filter(({ obj_uuid: of }) => of === uuid);
    expect(own.map(({ name, priority }) => [name, priority]).sort()).toEqual([
      ['VM_SHUTDOWN', 5],
      ['VM_STARTED', 5],
    ]);
  });

  it.each([
    ['VM.clean_shutdown', [], 'running'],
    ['VM.hard_shutdown', [], 'paused, suspended, running'],
    ['VM.unpause', [], 'paused'],
    ['VM.pause', [], 'running'],
    ['VM.clean_reboot', [], 'running'],
  ])('refuses %s while it is halted', async (method, params, wanted) => {
    const vm = await deploy(client(), 'web-1');
    expect(await client().refusal(method, vm, ...params)).toEqual(['VM_BAD_POWER_STATE', vm, wanted, 'halted']);
  });

  it('does not do what an administrator has blocked', async () => {
    const vm = await deploy(client(), 'web-1');
    await client().call('VM.add_to_blocked_operations', vm, 'start', 'because');
    expect((await record(vm)).allowed_operations).not.toContain('start');
    expect(await client().refusal('VM.start', vm, false, false)).toEqual(['OPERATION_BLOCKED', vm, 'because']);
  });
});

describe('allowed and current operations', () => {
  it('are those of the state, in the genuine order', async () => {
    const template = await byName(client(), 'VM', 'debian-12');
    expect((await record(template)).allowed_operations.join(' ')).toBe(
      'destroy metadata_export export changing_NVRAM changing_shadow_memory changing_static_range changing_dynamic_range migrate_send provision copy clone',
    );
    const vm = await deploy(client(), 'web-1');
    expect((await record(vm)).allowed_operations.join(' ')).toBe(
      'create_vtpm destroy metadata_export export make_into_template changing_NVRAM changing_shadow_memory changing_static_range changing_dynamic_range migrate_send start_on start copy clone snapshot',
    );
    await client().call('VM.start', vm, true, false);
    expect((await record(vm)).allowed_operations.join(' ')).toBe(
      'metadata_export hard_reboot hard_shutdown unpause checkpoint snapshot',
    );
  });
});
