import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { brokenInvariants } from './invariants.ts';
import { gib, poolWith, vmOf } from './mobility/pool.ts';
import { byName, sharedLab } from './with-lab.ts';

const { lab, client } = sharedLab({ pools: poolWith([vmOf('db'), vmOf('web'), vmOf('mail')]) });

beforeAll(async () => {
  const [pool] = await client().call<string[]>('pool.get_all');
  await client().call('pool.set_suspend_image_SR', pool, await byName(client(), 'SR', 'shared'));
});

afterEach(() => expect(brokenInvariants(lab().world)).toEqual([]));

const stateOf = (vm: string) => client().call('VM.get_power_state', vm);

describe('a checkpoint', () => {
  it('is a suspended snapshot with an image of the memory, of a VM that runs on', async () => {
    const vm = await byName(client(), 'VM', 'db');
    const domain = await client().call<number>('VM.get_domid', vm);
    const snapshot = await client().call('VM.checkpoint', vm, 'before the upgrade');
    expect(await stateOf(vm)).toBe('Running');
    expect(await client().call('VM.get_domid', vm)).not.toBe(domain);
    const record = await client().call<Record<string, unknown>>('VM.get_record', snapshot);
    expect(record).toMatchObject({
      name_label: 'before the upgrade',
      power_state: 'Suspended',
      is_a_snapshot: true,
      snapshot_of: vm,
      snapshot_info: { 'disk-snapshot-type': 'crash_consistent', 'power-state-at-snapshot': 'Running' },
    });
    const image = await client().call('VDI.get_record', record['suspend_VDI']);
    expect(image).toMatchObject({ type: 'suspend', virtual_size: 2 * gib });
  });

  it('brings its VM back suspended, with new disks and interfaces, to go on where it was', async () => {
    const vm = await byName(client(), 'VM', 'web');
    const snapshot = await client().call('VM.checkpoint', vm, 'cp');
    const [disk] = await client().call<string[]>('VM.get_VBDs', vm);
    const [vif = ''] = await client().call<string[]>('VM.get_VIFs', vm);
    const mac = await client().call('VIF.get_MAC', vif);
    await client().call('VM.set_name_description', vm, 'broken by the upgrade');
    await client().call('VM.revert', snapshot);
    expect(await stateOf(vm)).toBe('Suspended');
    expect(await client().call('VM.get_name_description', vm)).toBe('');
    expect(await client().call('VM.get_parent', vm)).toBe(snapshot);
    expect(await client().refusal('VBD.get_record', disk)).toEqual(['HANDLE_INVALID', 'VBD', disk]);
    const [now] = await client().call<string[]>('VM.get_VIFs', vm);
    expect(await client().call('VIF.get_MAC', now)).toBe(mac);
    await client().call('VM.resume', vm, false, false);
    expect(await stateOf(vm)).toBe('Running');
    expect(await stateOf(snapshot)).toBe('Suspended');
  });

  it('is not made of a halted VM, and a plain snapshot brings its VM back halted', async () => {
    const vm = await byName(client(), 'VM', 'mail');
    const snapshot = await client().call('VM.snapshot', vm, 'plain');
    await client().call('VM.revert', snapshot);
    expect(await stateOf(vm)).toBe('Halted');
    expect(await client().refusal('VM.checkpoint', vm, 'no')).toEqual([
      ...['VM_BAD_POWER_STATE', vm, 'paused, suspended, running', 'halted'],
    ]);
    const child = await client().call('VM.snapshot', vm, 'child');
    await client().call('VM.destroy', snapshot);
    expect(await client().call('VM.get_parent', child)).toBe('OpaqueRef:NULL');
  });
});
