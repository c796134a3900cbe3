import { describe, expect, it } from '@jest/globals';
import { freshLab } from '../with-lab.ts';
import { gib, homeOf, poolWith, refsOf, vmOf } from './pool.ts';

const halted = (name: string) => vmOf(name, { host: undefined });
const names = ['one', 'two', 'three', 'four'];
const { client } = freshLab({
  pools: poolWith([...names.map(halted), vmOf('ballast', { host: 'ams1-h2', memoryBytes: 20 * gib })]),
});

/** A group of these VMs; they keep apart, or not. */
async function group(placement: 'anti_affinity' | 'normal', vms: readonly string[]): Promise<string> {
  const made = await client().call('VM_group.create', { name_label: placement, name_description: '', placement });
  for (const vm of vms) await client().call('VM.set_groups', vm, [made]);
  return made;
}

const start = (vm: string) => client().call('VM.start', vm, false, false);
const homesOf = (vms: readonly string[]) => Promise.all(vms.map((vm) => homeOf(client(), vm)));

describe('VMs of an anti-affinity group', () => {
  it('are started each on a host of its own, also on the one with the least memory', async () => {
    const { vms, h1, h2, h3 } = await refsOf(client(), ...names.slice(0, 3));
    const made = await group('anti_affinity', vms);
    expect((await client().call<string[]>('VM_group.get_VMs', made)).sort()).toEqual([...vms].sort());
    for (const vm of vms) await start(vm);
    expect((await homesOf(vms)).sort()).toEqual([h1, h2, h3].sort());
  });

  it('share a host when there are more of them than hosts, the one with the most room first', async () => {
    const { vms, h2 } = await refsOf(client(), ...names);
    await group('anti_affinity', vms);
    for (const vm of vms) await start(vm);
    const homes = await homesOf(vms);
    expect(new Set(homes).size).toBe(3);
    expect(homes.filter((home) => home === h2)).toHaveLength(1);
  });

  it('go to where they are told all the same', async () => {
    const { vms, h1 } = await refsOf(client(), ...names.slice(0, 2));
    await group('anti_affinity', vms);
    for (const vm of vms) await client().call('VM.start_on', vm, h1, false, false);
    expect(await homesOf(vms)).toEqual([h1, h1]);
  });

  it('keep apart when their host is emptied', async () => {
    const { vms, h1, h2, h3 } = await refsOf(client(), ...names.slice(0, 2));
    for (const vm of vms) await client().call('VM.start_on', vm, h1, false, false);
    await group('anti_affinity', vms);
    await client().call('host.disable', h1);
    for (const vm of vms) {
      for (let token = ''; (await client().call('VM.get_guest_metrics', vm)) === 'OpaqueRef:NULL';)
        token = (await client().call<{ token: string }>('event.from', [`vm/${vm}`], token, 5.5)).token;
    }
    await client().call('host.evacuate', h1);
    expect((await homesOf(vms)).sort()).toEqual([h2, h3].sort());
  });
});

describe('VMs of a group without a wish', () => {
  it('are started where there is the most memory', async () => {
    const { vms, h2 } = await refsOf(client(), ...names);
    await group('normal', vms);
    for (const vm of vms) await start(vm);
    expect(await homesOf(vms)).not.toContain(h2);
  });
});
