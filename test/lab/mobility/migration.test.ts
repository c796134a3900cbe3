import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { byName, deploy, freshLab } from '../with-lab.ts';
import { gib, homeOf, poolWith, refsOf, stopMoves, vmOf } from './pool.ts';

const { lab, client } = freshLab({ pools: poolWith([vmOf('web'), vmOf('bare', { guestTools: false })]) });

const move = (vm: string, host: string, options: object = {}) => client().call('VM.pool_migrate', vm, host, options);
const refusedMove = (vm: string, host: string, options: object = {}) =>
  client().refusal('VM.pool_migrate', vm, host, options);
const free = (host: string) => client().call<number>('host.compute_free_memory', host);

describe('a running VM that is moved', () => {
  it('is on the other host afterwards, with its memory, and on no other', async () => {
    const { vms, h1, h2 } = await refsOf(client(), 'web');
    const [vm = ''] = vms;
    const [before1, before2] = [await free(h1), await free(h2)];
    const needed = 2 * gib + (await client().call<number>('VM.get_memory_overhead', vm));
    await move(vm, h2, { live: 'true' });
    expect(await homeOf(client(), vm)).toBe(h2);
    expect(await client().call('host.get_resident_VMs', h2)).toContain(vm);
    expect(await client().call('host.get_resident_VMs', h1)).not.toContain(vm);
    expect([await free(h1), await free(h2)]).toEqual([before1 + needed, before2 - needed]);
  });

  it('holds memory on both hosts until it has arrived, and shows where it goes', async () => {
    const { vms, h1, h2 } = await refsOf(client(), 'web');
    const [vm = ''] = vms;
    const [before1, before2] = [await free(h1), await free(h2)];
    const needed = 2 * gib + (await client().call<number>('VM.get_memory_overhead', vm));
    stopMoves(lab().world);
    const task = await client().call('Async.VM.pool_migrate', vm, h2, {});
    for (let token = ''; !lab().world.reserved.get(h2)?.has(vm);)
      token = (await client().call<{ token: string }>('event.from', [`vm/${vm}`], token, 1)).token;
    const record = await client().call('VM.get_record', vm);
    expect(record).toMatchObject({
      resident_on: h1,
      scheduled_to_be_resident_on: h2,
      allowed_operations: [],
      current_operations: { [task]: 'pool_migrate' },
    });
    expect(await client().call('host.get_current_operations', h2)).toEqual({ [task]: 'vm_migrate' });
    expect(await client().call('host.get_allowed_operations', h2)).not.toContain('evacuate');
    expect([await free(h1), await free(h2)]).toEqual([before1, before2 - needed]);
  });

  it('keeps the address and the open connection of its guest', async () => {
    const { connect } = await import('node:net');
    const vm = await deploy(client(), 'router');
    const { h1, h2 } = await refsOf(client());
    await client().call('VM.start_on', vm, h1, false, false);
    const { address } = (await lab().world.runningGuests.get(vm)?.booted) ?? { address: '' };
    const { guest_metrics: metrics } = lab().world.store.get('VM', vm);
    const socket = connect(2222, address);
    const [banner] = (await once(socket, 'data')) as [Buffer];
    expect(banner.toString()).toMatch(/^SSH-2\.0/);
    await move(vm, h2);
    expect(socket.readyState).toBe('open');
    socket.write('SSH-2.0-test\r\n');
    await once(socket, 'data');
    socket.destroy();
    expect(await homeOf(client(), vm)).toBe(h2);
    expect(lab().world.store.get('VM_guest_metrics', metrics).networks['0/ip']).toBe(address);
  });

  it('stays where it is when the move is cancelled, and takes nothing over there', async () => {
    const { vms, h1, h2 } = await refsOf(client(), 'web');
    const [vm = ''] = vms;
    const before = lab().snapshot();
    const held = lab().hold({ method: 'VM.pool_migrate', at: 'before-effect' });
    const task = await client().call('Async.VM.pool_migrate', vm, h2, {});
    await held.reached;
    await client().call('task.cancel', task);
    held.release();
    expect(await client().task(task)).toMatchObject({ status: 'cancelled', error_info: [] });
    expect(await homeOf(client(), vm)).toBe(h1);
    expect(lab().diff(before)).toEqual([]);
  });

  it('stays where it is when the move fails', async () => {
    const { vms, h1, h2 } = await refsOf(client(), 'web');
    const [vm = ''] = vms;
    lab().plan({ kind: 'migration-fails', object: 'web' });
    expect(await refusedMove(vm, h2)).toEqual(['VM_MIGRATE_FAILED', vm, h1, h2, 'planned by the lab']);
    expect(await homeOf(client(), vm)).toBe(h1);
  });
});

describe('a move is refused', () => {
  it('without an agent in the guest, unless it is forced', async () => {
    const { vms, h2 } = await refsOf(client(), 'bare');
    const [vm = ''] = vms;
    expect(await refusedMove(vm, h2)).toEqual(['VM_LACKS_FEATURE', vm]);
    await move(vm, h2, { force: 'true' });
    expect(await homeOf(client(), vm)).toBe(h2);
  });

  it('of a VM that does not run, and to a disabled host', async () => {
    const { vms, h2 } = await refsOf(client(), 'web');
    const [vm = ''] = vms;
    await client().call('host.disable', h2);
    expect(await refusedMove(vm, h2)).toEqual(['HOST_DISABLED', h2]);
    await client().call('VM.hard_shutdown', vm);
    expect(await refusedMove(vm, h2)).toEqual(['VM_BAD_POWER_STATE', vm, 'running', 'halted']);
  });

  it('over a network on which the host has no address', async () => {
    const { vms, h2, h3 } = await refsOf(client(), 'web');
    const [vm = ''] = vms;
    const network = await byName(client(), 'network', 'storage');
    expect(await refusedMove(vm, h3, { network })).toEqual(['HOST_CANNOT_ATTACH_NETWORK', h3, network]);
    const [pif] = lab()
      .world.store.get('network', network)
      .PIFs.filter((ref) => lab().world.store.get('PIF', ref).host === h2);
    expect(await refusedMove(vm, h2, { network })).toEqual(['PIF_HAS_NO_NETWORK_CONFIGURATION', pif]);
    await client().call('PIF.reconfigure_ip', pif, 'Static', '192.0.2.9', '255.255.255.0', '', '');
    await move(vm, h2, { network });
  });

  it('to a host that runs an older release', async () => {
    const { vms, h1, h2 } = await refsOf(client(), 'web');
    const [vm = ''] = vms;
    const { software_version: version } = lab().world.store.get('host', h1);
    lab().world.store.update('host', h1, { software_version: { ...version, platform_version: '9.0.0' } });
    expect(await refusedMove(vm, h2)).toEqual(['VM_HOST_INCOMPATIBLE_VERSION_MIGRATE', h2, vm]);
    await client().call('VM.hard_shutdown', vm);
    expect(await client().refusal('VM.start_on', vm, h2, false, false)).toEqual([
      'VM_HOST_INCOMPATIBLE_VERSION',
      h2,
      vm,
    ]);
    await client().call('VM.start', vm, false, false);
    expect(await homeOf(client(), vm)).toBe(h1);
  });
});
