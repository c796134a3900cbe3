import { afterEach, describe, expect, it } from '@jest/globals';
import { brokenInvariants } from './invariants.ts';
import { poolWith, refsOf, vmOf } from './mobility/pool.ts';
import { byName, sharedLab } from './with-lab.ts';

const { lab, client } = sharedLab({ pools: poolWith([vmOf('db', { networks: ['storage'] })]) });

afterEach(() => expect(brokenInvariants(lab().world)).toEqual([]));

/** The host's interface in the network. */
async function pifOf(network: string, host: string): Promise<string> {
  const { world } = lab();
  const ref = await byName(client(), 'network', network);
  const found = world.store.get('network', ref).PIFs.find((pif) => world.store.get('PIF', pif).host === host);
  if (found === undefined) throw new Error(`no interface in ${network}`);
  return found;
}

const newNetwork = (name: string) =>
  client().call('network.create', { name_label: name, name_description: '', MTU: 1500, other_config: {}, bridge: '' });

describe('interfaces of a host', () => {
  it('are forgotten, found again by a scan, and introduced by their device', async () => {
    const { h2 } = await refsOf(client());
    const pif = await pifOf('storage', h2);
    const mac = await client().call('PIF.get_MAC', pif);
    await client().call('PIF.forget', pif);
    expect(await client().refusal('PIF.introduce', h2, '02:00:00:00:00:01', 'eth1')).toEqual([
      ...['COULD_NOT_FIND_NETWORK_INTERFACE_WITH_SPECIFIED_DEVICE_NAME_AND_MAC_ADDRESS', 'eth1', '02:00:00:00:00:01'],
    ]);
    const introduced = await client().call('PIF.introduce', h2, '', 'eth1');
    expect(await client().call('PIF.get_MAC', introduced)).toBe(mac);
    expect(await client().refusal('PIF.introduce', h2, mac, 'eth1')).toEqual(['DUPLICATE_PIF_DEVICE_NAME', 'eth1']);
    await client().call('PIF.forget', introduced);
    await client().call('PIF.scan', h2);
    const devices = await client().call<string[]>('host.get_PIFs', h2);
    const names = await Promise.all(devices.map((ref) => client().call('PIF.get_device', ref)));
    expect(names.sort()).toEqual(['eth0', 'eth1']);
  });

  it('keep what manages the host, what a VM uses, and what carries a VLAN', async () => {
    const { h1, h2 } = await refsOf(client());
    const [managed, used] = [await pifOf('tenant', h2), await pifOf('storage', h1)];
    expect(await client().refusal('PIF.forget', managed)).toEqual(['PIF_IS_MANAGEMENT_INTERFACE', managed]);
    expect(await client().refusal('PIF.unplug', managed)).toEqual(['PIF_IS_MANAGEMENT_INTERFACE', managed]);
    expect((await client().refusal('PIF.unplug', used))[0]).toBe('VIF_IN_USE');
    const vlan = await client().call('PIF.create_VLAN', 'eth0', await newNetwork('tagged'), h2, 7);
    expect(await client().refusal('PIF.forget', managed)).toEqual(['PIF_VLAN_STILL_EXISTS', managed]);
    expect(await client().refusal('PIF.forget', vlan)).toEqual(['PIF_VLAN_STILL_EXISTS', vlan]);
    expect(await client().refusal('PIF.destroy', managed)).toEqual(['PIF_IS_PHYSICAL', managed]);
    await client().call('PIF.destroy', vlan);
  });

  it('take addresses that are some, and the properties that there are', async () => {
    const { h1, h2 } = await refsOf(client());
    const [pif, managed] = [await pifOf('storage', h1), await pifOf('tenant', h2)];
    const v4 = (...about: string[]) => ['PIF.reconfigure_ip', pif, ...about] as const;
    expect(await client().refusal(...v4('Static', 'x', '255.0.0.0', '', ''))).toEqual([
      ...['INVALID_IP_ADDRESS_SPECIFIED', 'IP'],
    ]);
    expect(await client().refusal('PIF.reconfigure_ip', managed, 'None', '', '', '', '')).toEqual([
      ...['PIF_IS_MANAGEMENT_INTERFACE', managed],
    ]);
    const v6 = ['PIF.reconfigure_ipv6', pif, 'Static'] as const;
    expect(await client().refusal(...v6, '2001:db8::1/129', '', '')).toEqual([
      ...['INVALID_IP_ADDRESS_SPECIFIED', 'Prefix length must be between 0 and 128'],
    ]);
    await client().call(...v6, '2001:db8::1/64', '', '');
    expect(await client().call('PIF.get_IPv6', pif)).toEqual(['2001:db8::1/64']);
    expect(await client().refusal('PIF.set_property', pif, 'gro', 'maybe')).toEqual([
      ...['INVALID_VALUE', 'properties', 'gro = maybe'],
    ]);
    await client().call('PIF.set_property', pif, 'gro', 'off');
    expect(await client().call('PIF.get_properties', pif)).toEqual({ gro: 'off' });
  });
});

describe('a bond', () => {
  it('takes the address, the VLANs and the VMs of its members, and gives them back', async () => {
    const { vms, h1 } = await refsOf(client(), 'db');
    const [eth0, eth1] = [await pifOf('tenant', h1), await pifOf('storage', h1)];
    const address = await client().call('PIF.get_IP', eth0);
    const tagged = await client().call('VLAN.create', eth1, 9, await newNetwork('tagged 9'));
    const network = await newNetwork('bonded');
    const bond = await client().call('Bond.create', network, [eth0, eth1], '', 'lacp', {});
    const master = await client().call('Bond.get_master', bond);
    expect(await client().call('PIF.get_record', master)).toMatchObject({
      ...{ device: 'bond0', IP: address, management: true, bond_master_of: [bond], VLAN_slave_of: [tagged] },
    });
    expect((await client().call<string[]>('Bond.get_slaves', bond)).sort()).toEqual([eth0, eth1].sort());
    expect(await client().call('PIF.get_record', eth0)).toMatchObject({ IP: '', management: false });
    const [vif] = await client().call<string[]>('VM.get_VIFs', vms[0]);
    expect(await client().call('VIF.get_network', vif)).toBe(network);
    expect(await client().refusal('Bond.create', await newNetwork('b'), [eth0], '', 'lacp', {})).toEqual([
      ...['PIF_ALREADY_BONDED', eth0],
    ]);
    expect(await client().refusal('PIF.plug', eth1)).toEqual(['CANNOT_PLUG_BOND_SLAVE', eth1]);
    await client().call('Bond.set_property', bond, 'hashing_algorithm', 'src_mac');
    expect(await client().refusal('Bond.set_property', bond, 'speed', '9')).toEqual(['INVALID_VALUE', 'speed', '9']);
    await client().call('Bond.destroy', bond);
    expect(await client().call('PIF.get_record', eth0)).toMatchObject({ IP: address, management: true });
    expect(await client().call('PIF.get_bond_slave_of', eth1)).toBe('OpaqueRef:NULL');
  });

  it('is not made of interfaces of two hosts, nor of none', async () => {
    const { h1, h2 } = await refsOf(client());
    const network = await newNetwork('nowhere');
    const members = [await pifOf('storage', h1), await pifOf('storage', h2)];
    expect(await client().refusal('Bond.create', network, members, '')).toEqual(['PIF_CANNOT_BOND_CROSS_HOST']);
    expect(await client().refusal('Bond.create', network, [], '')).toEqual(['INTERNAL_ERROR', 'Failure("hd")']);
  });
});

describe('a tunnel', () => {
  it('is up once the interface that carries it has an address', async () => {
    const { h2 } = await refsOf(client());
    const transport = await pifOf('storage', h2);
    const tunnel = await client().call('tunnel.create', transport, await newNetwork('overlay'), 'gre');
    const access = await client().call('tunnel.get_access_PIF', tunnel);
    expect(await client().call('PIF.get_tunnel_transport_PIF_of', transport)).toEqual([tunnel]);
    expect(await client().refusal('PIF.plug', access)).toEqual(['TRANSPORT_PIF_NOT_CONFIGURED', transport]);
    await client().call('PIF.reconfigure_ip', transport, 'Static', '192.0.2.8', '255.255.255.0', '', '');
    await client().call('PIF.plug', access);
    expect(await client().call('tunnel.get_status', tunnel)).toEqual({ active: 'true' });
    expect(await client().refusal('PIF.forget', transport)).toEqual(['PIF_TUNNEL_STILL_EXISTS', transport]);
    await client().call('tunnel.destroy', tunnel);
    expect(await client().refusal('PIF.get_record', access)).toEqual(['HANDLE_INVALID', 'PIF', access]);
  });
});

describe('a virtual interface', () => {
  it('moves to a network that the host of its VM sees', async () => {
    const { vms } = await refsOf(client(), 'db');
    const [vif = ''] = await client().call<string[]>('VM.get_VIFs', vms[0]);
    const tenant = await byName(client(), 'network', 'tenant');
    await client().call('VIF.move', vif, tenant);
    expect(await client().call('VIF.get_network', vif)).toBe(tenant);
    expect(await client().call<string[]>('network.get_VIFs', tenant)).toContain(vif);
  });

  it('gets an address from outside only where the agent in the guest sets one', async () => {
    const { vms } = await refsOf(client(), 'db');
    const [vm = ''] = vms;
    const [vif = ''] = await client().call<string[]>('VM.get_VIFs', vm);
    const configure = (address: string) => ['VIF.configure_ipv4', vif, 'Static', address, ''] as const;
    expect(await client().refusal(...configure('192.0.2.9'))).toEqual(['INVALID_CIDR_ADDRESS_SPECIFIED', 'address']);
    expect(await client().refusal(...configure('192.0.2.9/24'))).toEqual(['VM_LACKS_FEATURE', vm]);
    const metrics = await client().call('VM.get_guest_metrics', vm);
    const { other } = lab().world.store.get('VM_guest_metrics', metrics);
    lab().world.store.update('VM_guest_metrics', metrics, { other: { ...other, 'feature-static-ip-setting': '1' } });
    await client().call(...configure('192.0.2.9/24'));
    expect(await client().call('VIF.get_ipv4_addresses', vif)).toEqual(['192.0.2.9/24']);
  });
});
