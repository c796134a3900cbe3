import { describe, expect, it } from '@jest/globals';
import { byName, deploy, freshLab } from './with-lab.ts';

const { lab, client } = freshLab();

async function start(vm: string): Promise<void> {
  await client().call('VM.start', vm, false, false);
  await lab().world.runningGuests.get(vm)?.booted;
}

async function running(name: string): Promise<string> {
  const vm = await deploy(client(), name);
  await start(vm);
  return vm;
}

async function withoutSuspendSr(): Promise<void> {
  const [pool] = await client().call<string[]>('pool.get_all');
  await client().call('pool.set_suspend_image_SR', pool, 'OpaqueRef:NULL');
}

describe('suspending', () => {
  it('needs an SR for the memory image', async () => {
    const vm = await running('web-1');
    await withoutSuspendSr();
    expect(await client().refusal('VM.suspend', vm)).toEqual(['VM_NO_SUSPEND_SR', vm]);
  });

  it('writes the memory to a disk, which goes again when the VM resumes', async () => {
    const vm = await running('web-1');
    await client().call('VM.suspend', vm);
    const suspended = await client().call<{ power_state: string; suspend_VDI: string }>('VM.get_record', vm);
    expect(suspended).toMatchObject({ power_state: 'Suspended', resident_on: 'OpaqueRef:NULL' });
    expect(await client().call('VDI.get_type', suspended.suspend_VDI)).toBe('suspend');
    await client().call('VM.resume', vm, false, false);
    expect(await client().call('VM.get_record', vm)).toMatchObject({
      power_state: 'Running',
      suspend_VDI: 'OpaqueRef:NULL',
    });
    expect(await client().refusal('VDI.get_record', suspended.suspend_VDI)).toEqual([
      'HANDLE_INVALID',
      'VDI',
      suspended.suspend_VDI,
    ]);
  });

  it('leaves nothing behind when the suspended VM is switched off', async () => {
    const vm = await running('web-1');
    await client().call('VM.hard_shutdown', vm);
    const before = lab().snapshot();
    await start(vm);
    await client().call('VM.suspend', vm);
    await client().call('VM.hard_shutdown', vm);
    // When it was last started is told in seconds, and may be another second now.
    const changed = lab()
      .diff(before)
      .filter(({ fields }) => Object.keys(fields ?? {}).join() !== 'start_time');
    expect(changed).toEqual([]);
    expect(await client().call('VM.get_power_state', vm)).toBe('Halted');
  });
});

describe('snapshots', () => {
  it('are templates of their own that a VM goes back to, with new disks', async () => {
    const vm = await deploy(client(), 'web-1');
    const [before] = await client().call<string[]>('VM.get_VBDs', vm);
    const snapshot = await client().call('VM.snapshot', vm, 'before the change');
    expect(await client().call('VM.get_record', snapshot)).toMatchObject({
      is_a_snapshot: true,
      snapshot_of: vm,
      power_state: 'Halted',
    });
    expect(await client().call('VM.get_snapshots', vm)).toEqual([snapshot]);
    expect(await client().refusal('VM.start', snapshot, false, false)).toEqual(['VM_IS_SNAPSHOT', snapshot, 'start']);
    await client().call('VM.revert', snapshot);
    const [after] = await client().call<string[]>('VM.get_VBDs', vm);
    expect(after).not.toBe(before);
    expect(await client().refusal('VBD.get_record', before)).toEqual(['HANDLE_INVALID', 'VBD', before]);
    expect(await client().refusal('VM.revert', vm)).toEqual(['VM_REVERT_FAILED', vm, 'OpaqueRef:NULL']);
  });
});

describe('storage repositories and networks', () => {
  it('are made on a host, and not taken away while they are connected', async () => {
    const host = await byName(client(), 'host', 'ams1-h2');
    const about = [{}, 2 ** 40, 'more', '', 'lvm', 'user', false, {}];
    const sr = await client().call('SR.create', host, ...about);
    expect(await client().refusal('SR.destroy', sr)).toEqual(['SR_HAS_PBD', sr]);
    const [pbd] = await client().call<string[]>('SR.get_PBDs', sr);
    await client().call('PBD.unplug', pbd);
    await client().call('SR.destroy', sr);
    const unknown = [{}, 1, 'more', '', 'nosuch', 'user', false, {}];
    expect(await client().refusal('SR.create', host, ...unknown)).toEqual(['SR_UNKNOWN_DRIVER', 'nosuch']);
  });

  it('keep a network that has interfaces', async () => {
    const network = await byName(client(), 'network', 'tenant');
    const [pif] = await client().call<string[]>('network.get_PIFs', network);
    expect(await client().refusal('network.destroy', network)).toEqual(['NETWORK_CONTAINS_PIF', pif]);
  });
});
