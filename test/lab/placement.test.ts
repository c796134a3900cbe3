import { describe, expect, it } from '@jest/globals';
import { defaultPool } from '../../lab/scenario.ts';
import type { RawClient } from './raw-client.ts';
import { byName, deploy, freshLab } from './with-lab.ts';

const { lab, client } = freshLab();
const gib = 2 ** 30;

const setMemory = (vm: string, bytes: number) => client().call('VM.set_memory_limits', vm, 0, bytes, bytes, bytes);
const overhead = (vm: string) => client().call<number>('VM.get_memory_overhead', vm);
const free = (host: string) => client().call<number>('host.compute_free_memory', host);
const start = (vm: string) => client().call('VM.start', vm, false, false);

async function addNic(of: RawClient, vm: string, network: string, device: string): Promise<string> {
  const settings = { MAC: '', MTU: 1500, other_config: {}, qos_algorithm_type: '', qos_algorithm_params: {} };
  return of.call('VIF.create', { VM: vm, network: await byName(of, 'network', network), device, ...settings });
}

describe('memory', () => {
  it('is taken from the host by a start and given back by a stop, to the byte', async () => {
    const vm = await deploy(client(), 'web-1');
    const host = await byName(client(), 'host', 'ams1-h2');
    const before = await free(host);
    await client().call('VM.start_on', vm, host, false, false);
    expect(await free(host)).toBe(before - 2 * gib - (await overhead(vm)));
    const metrics = await client().call('host.get_metrics', host);
    expect(await client().call('host_metrics.get_record', metrics)).toMatchObject({ memory_free: await free(host) });
    await client().call('VM.hard_shutdown', vm);
    expect(await free(host)).toBe(before);
  });

  it('is reported as the genuine overhead: 12 MiB for 1 GiB and 2 vCPUs', async () => {
    const vm = await deploy(client(), 'web-1');
    await setMemory(vm, gib);
    expect(await overhead(vm)).toBe(12 * 2 ** 20);
    await setMemory(vm, 966367641600);
    expect(await overhead(vm)).toBe(973921583104 - 966367641600);
  });

  it('is refused with what is needed and what is free', async () => {
    const vm = await deploy(client(), 'huge');
    await setMemory(vm, 64 * gib);
    const host = await byName(client(), 'host', 'ams1-h1');
    const needed = 64 * gib + (await overhead(vm));
    expect(await client().refusal('VM.start', vm, false, false)).toEqual(['NO_HOSTS_AVAILABLE']);
    const shortage = ['HOST_NOT_ENOUGH_FREE_MEMORY', String(needed), String(await free(host))];
    expect(await client().refusal('VM.start_on', vm, host, false, false)).toEqual(shortage);
    expect(await client().refusal('VM.assert_can_boot_here', vm, host)).toEqual(shortage);
  });

  it('is set aside for a start that is under way', async () => {
    const [first, second] = [await deploy(client(), 'first'), await deploy(client(), 'second')];
    const host = await byName(client(), 'host', 'ams1-h1');
    await setMemory(first, 20 * gib);
    await setMemory(second, 20 * gib);
    const answers = await Promise.allSettled(
      [first, second].map((vm) => client().call('VM.start_on', vm, host, false, false)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('limits have to be in order', async () => {
    const vm = await deploy(client(), 'web-1');
    expect(await client().refusal('VM.set_memory_limits', vm, 2 * gib, gib, gib, gib)).toEqual([
      'MEMORY_CONSTRAINT_VIOLATION_ORDER',
    ]);
    const rule = 'VCPU values must satisfy: 0 < VCPUs_at_startup ≤ VCPUs_max';
    expect(await client().refusal('VM.set_VCPUs_at_startup', vm, 9)).toEqual(['INVALID_VALUE', rule, '9']);
  });
});

describe('placement', () => {
  it('goes to the host with the most free memory, unless the VM wishes for another', async () => {
    const [a, b, c] = [await deploy(client(), 'a'), await deploy(client(), 'b'), await deploy(client(), 'c')];
    await start(a);
    await start(b);
    const [homeOfA, homeOfB] = [
      await client().call('VM.get_resident_on', a),
      await client().call('VM.get_resident_on', b),
    ];
    expect(homeOfB).not.toBe(homeOfA);
    await client().call('VM.set_affinity', c, homeOfA);
    await start(c);
    expect(await client().call('VM.get_resident_on', c)).toBe(homeOfA);
  });

  it('leaves out hosts without the network, without the storage, and disabled ones', async () => {
    const vm = await deploy(client(), 'web-1');
    const [h1, h2, h3] = [
      await byName(client(), 'host', 'ams1-h1'),
      await byName(client(), 'host', 'ams1-h2'),
      await byName(client(), 'host', 'ams1-h3'),
    ];
    await addNic(client(), vm, 'storage', '1');
    expect(await client().refusal('VM.assert_can_boot_here', vm, h3)).toEqual([
      'VM_REQUIRES_NETWORK',
      vm,
      await byName(client(), 'network', 'storage'),
    ]);
    expect((await client().call<string[]>('VM.get_possible_hosts', vm)).sort()).toEqual([h1, h2].sort());

    const local = await byName(client(), 'SR', 'local-h1');
    const disk = {
      name_label: 'd',
      SR: local,
      virtual_size: gib,
      type: 'user',
      sharable: false,
      read_only: false,
      other_config: {},
    };
    const vdi = await client().call('VDI.create', disk);
    const drive = {
      VM: vm,
      VDI: vdi,
      userdevice: 'autodetect',
      bootable: false,
      mode: 'RW',
      type: 'Disk',
      empty: false,
    };
    await client().call('VBD.create', { ...drive, other_config: {}, qos_algorithm_type: '', qos_algorithm_params: {} });
    expect(await client().refusal('VM.assert_can_boot_here', vm, h2)).toEqual(['VM_REQUIRES_SR', vm, local]);
    expect(await client().call('VM.get_possible_hosts', vm)).toEqual([h1]);

    await client().call('host.disable', h1);
    expect(await client().refusal('VM.start_on', vm, h1, false, false)).toEqual(['HOST_DISABLED', h1]);
    expect(await client().refusal('VM.start', vm, false, false)).toEqual(['NO_HOSTS_AVAILABLE']);
  });
});

describe('the scenario', () => {
  it('has three hosts, two SRs, two networks and a template', async () => {
    const { hosts, srs, networks } = defaultPool();
    expect(await client().call<string[]>('host.get_all')).toHaveLength(hosts.length);
    expect(await client().call<string[]>('SR.get_all')).toHaveLength(srs.length);
    expect(await client().call<string[]>('network.get_all')).toHaveLength(networks.length);
    const networkOfTemplate = await client().call<string[]>('VM.get_VIFs', await byName(client(), 'VM', 'debian-12'));
    expect(networkOfTemplate).toHaveLength(1);
    expect(lab().pools.map(({ id }) => id)).toEqual(['ams1']);
  });
});
