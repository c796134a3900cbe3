import { describe, expect, it } from '@jest/globals';
import { freshLab } from '../with-lab.ts';
import { gib, homeOf, poolWith, refsOf, stopMoves, vmOf } from './pool.ts';

const vms = [
  vmOf('movable'),
  vmOf('other'),
  vmOf('local', { disks: [{ sr: 'local-h1', sizeBytes: gib }], host: undefined }),
  vmOf('pinned', { pinnedPciIds: ['0000:04:00.0'], host: undefined }),
  vmOf('huge', { memoryBytes: 28 * gib, host: undefined }),
  vmOf('filler-2', { memoryBytes: 20 * gib, host: 'ams1-h2' }),
  vmOf('filler-3', { memoryBytes: 20 * gib, host: 'ams1-h3' }),
];
const { lab, client } = freshLab({ pools: poolWith(vms) });

const evacuate = (host: string, ...more: readonly unknown[]) => client().call('host.evacuate', host, ...more);
const refused = (host: string) => client().refusal('host.evacuate', host);
const prevented = (host: string) =>
  client().call<Record<string, readonly string[]>>('host.get_vms_which_prevent_evacuation', host);
const guests = (host: string) =>
  lab()
    .world.store.get('host', host)
    .resident_VMs.filter((vm) => !lab().world.store.get('VM', vm).is_control_domain);

async function startHere(vm: string, host: string): Promise<void> {
  await client().call('VM.start_on', vm, host, false, false);
  await lab().world.runningGuests.get(vm)?.booted;
}

describe('a host that is emptied', () => {
  it('has nothing on it but its control domain, and each VM runs elsewhere', async () => {
    const {
      vms: [a = '', b = ''],
      h1,
    } = await refsOf(client(), 'movable', 'other');
    expect(await prevented(h1)).toEqual({});
    await client().call('host.assert_can_evacuate', h1);
    await client().call('host.disable', h1);
    await evacuate(h1);
    expect(guests(h1)).toEqual([]);
    for (const vm of [a, b]) {
      expect(await client().call('VM.get_power_state', vm)).toBe('Running');
      expect(await homeOf(client(), vm)).not.toBe(h1);
    }
    expect(await client().call('host.get_current_operations', h1)).toEqual({});
    expect(Object.values(await client().call<object>('task.get_all_records'))).toEqual([]);
  });

  it('moves one VM after the other when told to', async () => {
    const { h1 } = await refsOf(client());
    const held = lab().hold({ method: 'host.evacuate', at: 'after-effect' });
    const task = await client().call('Async.host.evacuate', h1, 'OpaqueRef:NULL', 1);
    await held.reached;
    expect(guests(h1)).toEqual([]);
    held.release();
    expect(await client().task(task)).toMatchObject({ status: 'success' });
    expect(await client().refusal('host.evacuate', h1, 'OpaqueRef:NULL', -1)).toEqual([
      'INVALID_VALUE',
      'evacuate_batch_size',
      '-1',
    ]);
  });

  it('takes no VM in meanwhile, and the VMs stay when it is cancelled', async () => {
    const {
      vms: [halted = '', a = ''],
      h1,
    } = await refsOf(client(), 'local', 'movable');
    stopMoves(lab().world);
    const task = await client().call('Async.host.evacuate', h1);
    for (let token = ''; lab().world.reserved.size === 0;)
      token = (await client().call<{ token: string }>('event.from', ['host'], token, 1)).token;
    expect(await client().refusal('VM.start_on', halted, h1, false, false)).toEqual(['HOST_EVACUATE_IN_PROGRESS', h1]);
    await client().call('task.cancel', task);
    expect(await client().task(task)).toMatchObject({ status: 'cancelled' });
    expect(await homeOf(client(), a)).toBe(h1);
    expect(await client().call('VM.get_current_operations', a)).toEqual({});
  });
});

describe('a host is not emptied', () => {
  it('while a VM has a disk that the others do not see', async () => {
    const {
      vms: [vm = ''],
      h1,
    } = await refsOf(client(), 'local');
    await startHere(vm, h1);
    const [sr] = await client().call<string[]>('SR.get_by_name_label', 'local-h1');
    const error = ['VM_REQUIRES_SR', vm, sr];
    expect(await prevented(h1)).toEqual({ [vm]: error });
    expect(await client().refusal('host.assert_can_evacuate', h1)).toEqual(['CANNOT_EVACUATE_HOST', error.join(',')]);
    expect(await refused(h1)).toEqual(error);
    expect(guests(h1)).toHaveLength(3);
  });

  it('while a VM holds a device of it; all reasons are told in one text', async () => {
    const {
      vms: [local = '', pinned = ''],
      h1,
      h2,
    } = await refsOf(client(), 'local', 'pinned');
    lab().world.store.create('PCI', { host: h1, pci_id: '0000:04:00.0' });
    expect(await client().refusal('VM.assert_can_boot_here', pinned, h2)).toEqual(['VM_REQUIRES_IOMMU', h2]);
    await startHere(pinned, h1);
    await startHere(local, h1);
    const reasons = await prevented(h1);
    expect(reasons[pinned]).toEqual(['VM_HAS_PCI_ATTACHED', pinned]);
    const [code, text = ''] = await client().refusal('host.assert_can_evacuate', h1);
    expect(code).toBe('CANNOT_EVACUATE_HOST');
    expect(text.split('|').sort()).toEqual(
      Object.values(reasons)
        .map((reason) => reason.join(','))
        .sort(),
    );
    expect(await client().refusal('VM.pool_migrate', pinned, h2, {})).toEqual(['VM_HAS_PCI_ATTACHED', pinned]);
  });

  it('while there is no memory for a VM elsewhere', async () => {
    const {
      vms: [huge = '', a = '', b = ''],
      h1,
    } = await refsOf(client(), 'huge', 'movable', 'other');
    await client().call('VM.hard_shutdown', a);
    await client().call('VM.hard_shutdown', b);
    await startHere(huge, h1);
    expect(await refused(h1)).toEqual(['HOST_NOT_ENOUGH_FREE_MEMORY', huge]);
    expect(await prevented(h1)).toEqual({ [huge]: ['HOST_NOT_ENOUGH_FREE_MEMORY', huge] });
  });

  it('while HA is on and does not protect a VM', async () => {
    const {
      vms: [a = '', b = ''],
      h1,
    } = await refsOf(client(), 'movable', 'other');
    await client().call('VM.set_ha_restart_priority', a, 'restart');
    lab().world.store.update('pool', lab().world.pool.ref, { ha_enabled: true });
    expect(await prevented(h1)).toEqual({ [b]: ['HOST_EVACUATE_VM_NOT_HA_PROTECTED', b] });
  });

  it('while all others are disabled or run an older release', async () => {
    const {
      vms: [a = '', b = ''],
      h1,
      h2,
    } = await refsOf(client(), 'movable', 'other');
    await client().call('host.disable', h2);
    const { software_version: version } = lab().world.store.get('host', h1);
    lab().world.store.update('host', h1, { software_version: { ...version, product_version: '99.0.0' } });
    expect(await prevented(h1)).toEqual({ [a]: ['NO_HOSTS_AVAILABLE', a], [b]: ['NO_HOSTS_AVAILABLE', b] });
  });

  it('when a move fails: the others have moved, and the host stays as it was otherwise', async () => {
    const {
      vms: [a = '', b = ''],
      h1,
    } = await refsOf(client(), 'movable', 'other');
    lab().plan({ kind: 'migration-fails', object: 'movable' });
    expect((await refused(h1))[0]).toBe('VM_MIGRATE_FAILED');
    expect(guests(h1)).toEqual([a]);
    expect(await homeOf(client(), b)).not.toBe(h1);
    expect(await client().call('host.get_current_operations', h1)).toEqual({});
  });

  it('while an administrator has blocked the move of a VM', async () => {
    const {
      vms: [a = ''],
      h1,
    } = await refsOf(client(), 'movable');
    await client().call('VM.add_to_blocked_operations', a, 'pool_migrate', 'keep it');
    expect(await refused(h1)).toEqual(['OPERATION_BLOCKED', a, 'keep it']);
    expect(guests(h1)).toHaveLength(2);
  });
});
