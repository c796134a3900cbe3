import { beforeAll, describe, expect, it } from '@jest/globals';
import { poolOf } from '../../../lab/scenario.ts';
import { byName, deploy, sharedLab } from '../with-lab.ts';

const { client } = sharedLab({ pools: [poolOf('xapi-25.33.1', 'rig')] });

let vm: string;
let sr: string;
beforeAll(async () => {
  vm = await deploy(client(), 'web');
  sr = await byName(client(), 'SR', 'shared');
});

const disk = (readOnly: boolean) =>
  client().call('VDI.create', {
    ...{ name_label: 'd', name_description: '', SR: sr, virtual_size: 1024, type: 'user' },
    ...{ sharable: false, read_only: readOnly, other_config: {} },
  });

const drive = (fields: object) => ({
  ...{ VM: vm, VDI: 'OpaqueRef:NULL', userdevice: '7', bootable: false, mode: 'RW', type: 'Disk', empty: false },
  ...{ other_config: {}, qos_algorithm_type: '', qos_algorithm_params: {} },
  ...fields,
});

describe('a drive', () => {
  it('is empty only where a medium can be put in', async () => {
    const refused = ['VBD_NOT_REMOVABLE_MEDIA', 'in constructor'];
    expect(await client().refusal('VBD.create', drive({ empty: true }))).toEqual(refused);
  });

  it('does not write to a disk that is read only', async () => {
    const vdi = await disk(true);
    expect(await client().refusal('VBD.create', drive({ VDI: vdi }))).toEqual(['VDI_READONLY', vdi]);
    expect(await client().call('VBD.create', drive({ VDI: vdi, mode: 'RO' }))).toMatch(/^OpaqueRef:/);
  });

  it('changes its mode while the VM is halted', async () => {
    const vbd = await client().call('VBD.create', drive({ VDI: await disk(false), userdevice: '8' }));
    await client().call('VBD.set_mode', vbd, 'RO');
    await client().call('VM.start', vm, false, false);
    const refused = ['VM_BAD_POWER_STATE', vm, 'halted', 'running'];
    expect(await client().refusal('VBD.set_mode', vbd, 'RW')).toEqual(refused);
    await client().call('VM.hard_shutdown', vm);
  });
});

describe('a connection to storage', () => {
  it('is not destroyed while it is plugged', async () => {
    const [pbd] = await client().call<string[]>('SR.get_PBDs', sr);
    const refused = ['OPERATION_NOT_ALLOWED', 'PBD is currently attached'];
    expect(await client().refusal('PBD.destroy', pbd)).toEqual(refused);
  });

  it('is made to storage that is there', async () => {
    const about = { host: await byName(client(), 'host', 'rig-h1'), SR: 'OpaqueRef:1', device_config: {} };
    expect(await client().refusal('PBD.create', about)).toEqual(['HANDLE_INVALID', 'SR', 'OpaqueRef:1']);
  });
});
