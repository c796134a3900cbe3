import type { Handlers } from '../dispatch/call.ts';
import type { Records } from '../model/records.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { XapiError, ocamlFailure } from '../xapi-error.ts';
import { haIsOn } from './ha-plan.ts';

type Texts = Readonly<Record<string, string>>;

const macPattern = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i;
const isCount = (text: string): boolean => /^\d+$/.test(text);
/** Each property of a bond, with what it may be. */
const properties: Readonly<Record<string, (value: string) => boolean>> = {
  hashing_algorithm: (value) => ['src_mac', 'tcpudp_ports'].includes(value),
  'lacp-time': (value) => ['slow', 'fast'].includes(value),
  'lacp-aggregation-key': isCount,
  'lacp-fallback-ab': (value) => ['true', 'false'].includes(value),
};

function assertProperty(name: string, value: string): void {
  if (properties[name]?.(value) !== true) throw new XapiError('INVALID_VALUE', name, value);
}

function assertMembers(world: World, members: readonly string[]): void {
  const pifs = members.map((ref) => ({ ref, pif: world.store.get('PIF', ref) }));
  for (const { ref, pif } of pifs) {
    if (pif.bond_slave_of !== nullRef) throw new XapiError('PIF_ALREADY_BONDED', ref);
    if (pif.VLAN >= 0) throw new XapiError('PIF_VLAN_EXISTS', pif.device);
    if (pif.tunnel_access_PIF_of.length > 0) throw new XapiError('IS_TUNNEL_ACCESS_PIF', ref);
  }
  if (new Set(pifs.map(({ pif }) => pif.host)).size !== 1) throw new XapiError('PIF_CANNOT_BOND_CROSS_HOST');
}

/** The first of bond0, bond1, … that the host has not. */
function freeDevice(world: World, host: string): string {
  const taken = new Set(world.store.get('host', host).PIFs.map((ref) => world.store.get('PIF', ref).device));
  for (let number = 0; ; number++) if (!taken.has(`bond${number}`)) return `bond${number}`;
}

const noAddress = { ip_configuration_mode: 'None', IP: '', netmask: '', gateway: '', DNS: '' };

const addressOf = (pif: Records['PIF']): Partial<Records['PIF']> => ({
  ip_configuration_mode: pif.ip_configuration_mode,
  IP: pif.IP,
  netmask: pif.netmask,
  gateway: pif.gateway,
  DNS: pif.DNS,
  management: pif.management,
  disallow_unplug: pif.disallow_unplug,
});

/** The VLANs on one interface are on the other from now on, and the host's running VMs in the one's network in the other's. */
function moveUp(world: World, from: string, to: string): void {
  const { VLAN_slave_of: vlans, network: oldNetwork, host } = world.store.get('PIF', from);
  const { device, network } = world.store.get('PIF', to);
  for (const vlan of vlans) {
    world.store.update('VLAN', vlan, { tagged_PIF: to });
    world.store.update('PIF', world.store.get('VLAN', vlan).untagged_PIF, { device });
  }
  for (const vm of world.store.get('host', host).resident_VMs)
    for (const vif of world.store.get('VM', vm).VIFs)
      if (world.store.get('VIF', vif).network === oldNetwork) world.store.update('VIF', vif, { network });
}

/** The interface that lends the bond its address: the management interface, or the first with an address. */
function primaryOf(world: World, members: readonly string[]): string {
  const managed = members.find((ref) => world.store.get('PIF', ref).management);
  const addressed = members.find((ref) => world.store.get('PIF', ref).ip_configuration_mode !== 'None');
  return managed ?? addressed ?? members[0] ?? nullRef;
}

function create(world: World, network: string, given: readonly string[], mac: string, mode: string, extra: Texts) {
  const members = [...new Set(given)];
  const [first] = members;
  if (first === undefined) throw ocamlFailure('hd');
  const { host } = world.store.get('PIF', first);
  const other = world.store.get('host', host).PIFs.find((ref) => world.store.get('PIF', ref).network === network);
  if (other !== undefined) throw new XapiError('NETWORK_ALREADY_CONNECTED', host, other);
  if (mac !== '' && !macPattern.test(mac)) throw new XapiError('MAC_INVALID', mac);
  assertMembers(world, members);
  assertHeartbeatKept(world, members);
  for (const [name, value] of Object.entries(extra)) assertProperty(name, value);
  const primary = primaryOf(world, members);
  const lender = world.store.get('PIF', primary);
  const attached = members.filter((ref) => world.store.get('PIF', ref).currently_attached);
  const master = world.store.create('PIF', {
    ...{ device: freeDevice(world, host), network, host, MAC: mac === '' ? lender.MAC : mac },
    ...{ MTU: world.store.get('network', network).MTU, VLAN: -1, physical: false },
    ...{ currently_attached: attached.length > 0, metrics: lender.metrics, other_config: { 'bond-mode': mode } },
    ...addressOf(lender),
  });
  const about = { master, primary_slave: primary, mode, links_up: attached.length, auto_update_mac: mac === '' };
  const bond = world.store.create('Bond', {
    ...about,
    properties: mode === 'lacp' ? { hashing_algorithm: 'tcpudp_ports', ...extra } : extra,
  });
  for (const ref of members) {
    moveUp(world, ref, master);
    world.store.update('PIF', ref, {
      ...{ bond_slave_of: bond, management: false, disallow_unplug: false },
      ...noAddress,
    });
  }
  return bond;
}

/** What the bond had goes back to the interface that had lent it. */
function destroy(world: World, bond: string): void {
  const { master, slaves, primary_slave: primary } = world.store.get('Bond', bond);
  assertHeartbeatKept(world, [master]);
  const { currently_attached: attached } = world.store.get('PIF', master);
  moveUp(world, master, primary);
  world.store.update('PIF', primary, addressOf(world.store.get('PIF', master)));
  for (const ref of slaves) world.store.update('PIF', ref, { bond_slave_of: nullRef, currently_attached: attached });
  world.store.destroy('Bond', bond);
  world.store.destroy('PIF', master);
}

function setMode(world: World, bond: string, mode: string): void {
  const { master } = world.store.get('Bond', bond);
  world.store.update('Bond', bond, { mode });
  const { other_config: config } = world.store.get('PIF', master);
  world.store.update('PIF', master, { other_config: { ...config, 'bond-mode': mode } });
}

/** High availability speaks over the management interface. Throws HA_CANNOT_CHANGE_BOND_STATUS_OF_MGMT_IFACE. */
function assertHeartbeatKept(world: World, members: readonly string[]): void {
  if (haIsOn(world) && members.some((ref) => world.store.get('PIF', ref).management))
    throw new XapiError('HA_CANNOT_CHANGE_BOND_STATUS_OF_MGMT_IFACE');
}

/** Several interfaces of a host that are one. */
export const bondBehaviour: Handlers = {
  'Bond.create': ({ world }, network, members, mac, mode = 'balance-slb', extra = {}) =>
    create(world, network, members, mac, mode, extra),
  'Bond.destroy': ({ world }, bond) => destroy(world, bond),
  'Bond.set_mode': ({ world }, bond, mode) => setMode(world, bond, mode),
  'Bond.set_property': ({ world }, bond, name, value) => {
    assertProperty(name, value);
    const { properties: before } = world.store.get('Bond', bond);
    world.store.update('Bond', bond, { properties: { ...before, [name]: value } });
  },
};
