import { describe, expect, it } from '@jest/globals';
import { poolOf } from '../../../lab/scenario.ts';
import { byName, deploy, sharedLab } from '../with-lab.ts';

const { client } = sharedLab({ pools: [poolOf('xapi-25.33.1', 'rig')] });
const told = (method: string, ...params: readonly unknown[]) => client().refusal(method, ...params);

describe('what a VM is set to', () => {
  it('has to be what it can be', async () => {
    const vm = await deploy(client(), 'web');
    expect(await told('VM.set_HVM_shadow_multiplier', vm, 0.5)).toEqual(['INVALID_VALUE', 'multiplier', '0.5']);
    expect(await told('VM.set_HVM_shadow_multiplier', vm, 0)).toEqual(['INVALID_VALUE', 'multiplier', '0.']);
    expect((await told('VM.set_actions_after_crash', vm, 'rename_restart')).slice(0, 3)).toEqual([
      ...['VALUE_NOT_SUPPORTED', 'VM.actions_after_crash', 'rename_restart'],
    ]);
    expect((await told('VM.set_actions_after_crash', vm, 'coredump_and_restart'))[0]).toBe('VALUE_NOT_SUPPORTED');
    expect(await client().call('VM.set_actions_after_crash', vm, 'preserve')).toBe('');
  });

  it('is an operation of the VM, which can be blocked and which a snapshot and a running VM do not know', async () => {
    const vm = await deploy(client(), 'db');
    const snapshot = await client().call('VM.snapshot', vm, 'before');
    const gib = String(2 ** 30);
    expect(await told('VM.set_memory_limits', snapshot, gib, gib, gib, gib)).toEqual([
      ...['VM_IS_SNAPSHOT', snapshot, 'changing_memory_limits'],
    ]);
    expect(await told('VM.set_VCPUs_max', snapshot, '2')).toEqual(['VM_IS_SNAPSHOT', snapshot, 'changing_VCPUs']);
    await client().call('VM.add_to_blocked_operations', vm, 'changing_VCPUs', 'because');
    expect(await told('VM.set_VCPUs_max', vm, '2')).toEqual(['OPERATION_BLOCKED', vm, 'because']);
    await client().call('VM.start', vm, false, false);
    expect(await told('VM.set_HVM_shadow_multiplier', vm, 2)).toEqual(['VM_BAD_POWER_STATE', vm, 'halted', 'running']);
  });

  it('goes back to a snapshot only, whatever else the VM is', async () => {
    const template = await byName(client(), 'VM', 'debian-12');
    expect(await told('VM.revert', template)).toEqual(['VM_REVERT_FAILED', template, 'OpaqueRef:NULL']);
  });
});

describe('the addresses that an interface may use', () => {
  it('are addresses, and are kept once', async () => {
    const [vif] = await client().call<string[]>('VM.get_VIFs', await deploy(client(), 'vif'));
    expect(await told('VIF.set_ipv4_allowed', vif, ['192.0.2.1', 'x'])).toEqual([
      ...['INVALID_IP_ADDRESS_SPECIFIED', 'ipv4_allowed'],
    ]);
    expect(await told('VIF.add_ipv6_allowed', vif, '192.0.2.1')).toEqual([
      ...['INVALID_IP_ADDRESS_SPECIFIED', 'ipv6_allowed'],
    ]);
    await client().call('VIF.set_ipv4_allowed', vif, ['192.0.2.1', '192.0.2.1']);
    await client().call('VIF.add_ipv4_allowed', vif, '192.0.2.1');
    expect(await client().call('VIF.get_ipv4_allowed', vif)).toEqual(['192.0.2.1']);
  });

  it('may be changed on a template, its memory and CPUs too', async () => {
    const template = await byName(client(), 'VM', 'debian-12');
    const bytes = 2 ** 30;
    await client().call('VM.set_memory_limits', template, bytes, bytes, bytes, bytes);
    await client().call('VM.set_VCPUs_max', template, 3);
    expect(await client().call('VM.get_record', template)).toMatchObject({ memory_static_max: bytes, VCPUs_max: 3 });
  });
});
