import { afterEach, describe, expect, it } from '@jest/globals';
import { brokenInvariants } from './invariants.ts';
import { gib, poolWith, refsOf, vmOf } from './mobility/pool.ts';
import { byName, deploy, sharedLab } from './with-lab.ts';

const { lab, client } = sharedLab({ pools: poolWith([vmOf('db'), vmOf('web', { host: 'ams1-h2' })]) });

afterEach(() => expect(brokenInvariants(lab().world)).toEqual([]));

const vmNamed = (name: string) => byName(client(), 'VM', name);

describe('a running VM', () => {
  it('gets as many vCPUs as its maximum allows, at once', async () => {
    const vm = await vmNamed('db');
    await client().call('VM.set_VCPUs_number_live', vm, 1);
    const metrics = await client().call('VM.get_metrics', vm);
    expect(await client().call('VM_metrics.get_VCPUs_number', metrics)).toBe(1);
    expect(await client().call('VM.get_VCPUs_at_startup', vm)).toBe(1);
    expect(await client().refusal('VM.set_VCPUs_number_live', vm, 3)).toEqual([
      ...['INVALID_VALUE', 'VCPU values must satisfy: 0 < VCPUs ≤ VCPUs_max', '3'],
    ]);
  });

  it('gives its host less room when its shadow memory grows', async () => {
    const { vms, h1 } = await refsOf(client(), 'db');
    const [vm = ''] = vms;
    const before = await client().call<number>('host.compute_free_memory', h1);
    await client().call('VM.set_shadow_multiplier_live', vm, 4);
    expect(await client().call<number>('host.compute_free_memory', h1)).toBeLessThan(before);
    expect(await client().refusal('VM.set_shadow_multiplier_live', vm, 0.5)).toEqual([
      'INVALID_VALUE',
      'multiplier',
      '0.5',
    ]);
  });

  it('is told what the daemon has nothing behind, in the words of the daemon', async () => {
    const vm = await vmNamed('db');
    expect(await client().refusal('VM.send_sysrq', vm, 'h')).toEqual(['NOT_IMPLEMENTED', 'send_sysrq']);
    expect(await client().refusal('VM.add_to_VCPUs_params_live', vm, 'weight', '1')).toEqual([
      ...['NOT_IMPLEMENTED', 'add_to_VCPUs_params_live'],
    ]);
    expect(await client().refusal('VM.call_plugin', vm, 'other', 'f', {})).toEqual(['XENAPI_MISSING_PLUGIN', 'other']);
    const [code, why] = await client().refusal('VM.call_plugin', vm, 'guest-agent-operation', 'f', {});
    expect([code, why]).toEqual(['XENAPI_PLUGIN_FAILURE', 'failed to find fn']);
  });

  it('says what can be measured of it, as its host and its storage do', async () => {
    const { vms, h1 } = await refsOf(client(), 'db');
    const [vm = ''] = vms;
    const names = (sources: readonly { name_label: string }[]) => sources.map(({ name_label: name }) => name);
    expect(names(await client().call('VM.get_data_sources', vm))).toEqual(
      expect.arrayContaining(['memory', 'cpu0', 'vif_0_rx', 'vbd_xvda_write']),
    );
    expect(await client().call('VM.query_data_source', vm, 'memory')).toBe(2 * gib);
    await client().call('VM.record_data_source', vm, 'memory');
    expect((await client().refusal('VM.query_data_source', vm, 'nosuch'))[0]).toBe('INTERNAL_ERROR');
    expect(names(await client().call('host.get_data_sources', h1))).toContain('memory_free_kib');
    const sr = await byName(client(), 'SR', 'shared');
    expect(await client().call('SR.query_data_source', sr, 'physical_size')).toBe(
      await client().call('SR.get_physical_size', sr),
    );
  });

  it('is not declared halted while it may run', async () => {
    const { vms, h2 } = await refsOf(client(), 'db', 'web');
    const [onCoordinator = '', onMember = ''] = vms;
    const domid = await client().call<number>('VM.get_domid', onCoordinator);
    expect(await client().refusal('VM.power_state_reset', onCoordinator)).toEqual([
      ...['DOMAIN_EXISTS', onCoordinator, String(domid)],
    ]);
    expect(await client().refusal('VM.power_state_reset', onMember)).toEqual(['HOST_IS_LIVE', h2]);
    lab().world.store.update('host_metrics', lab().world.store.get('host', h2).metrics, { live: false });
    await client().call('VM.power_state_reset', onMember);
    expect(await client().call('VM.get_power_state', onMember)).toBe('Halted');
  });
});

describe('a VM is asked', () => {
  it('whether an operation could begin now', async () => {
    const vm = await vmNamed('db');
    await client().call('VM.assert_operation_valid', vm, 'clean_shutdown');
    expect(await client().refusal('VM.assert_operation_valid', vm, 'start')).toEqual([
      ...['VM_BAD_POWER_STATE', vm, 'halted', 'running'],
    ]);
    await client().call('VM.add_to_blocked_operations', vm, 'clone', 'by the owner');
    expect(await client().refusal('VM.assert_operation_valid', vm, 'clone')).toEqual([
      ...['OPERATION_BLOCKED', vm, 'by the owner'],
    ]);
  });

  it('how much memory it could have, which is less when the answer has to be careful', async () => {
    const vm = await deploy(client(), 'fresh');
    const exact = await client().call<number>('VM.maximise_memory', vm, 8 * gib, false);
    const careful = await client().call<number>('VM.maximise_memory', vm, 8 * gib, true);
    expect(exact % 2 ** 20).toBe(0);
    expect(exact).toBeLessThan(8 * gib);
    expect(careful).toBeLessThan(exact);
  });

  it('with what it booted, while it is up', async () => {
    const vm = await vmNamed('db');
    expect(await client().call('VM.get_boot_record', vm)).toMatchObject({ name_label: 'db', power_state: 'Running' });
    const halted = await deploy(client(), 'down');
    expect(await client().refusal('VM.get_boot_record', halted)).toEqual([
      ...['VM_BAD_POWER_STATE', halted, 'paused, suspended, running', 'halted'],
    ]);
  });
});
