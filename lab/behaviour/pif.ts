import { isIP, isIPv4, isIPv6 } from 'node:net';
import type { Handlers } from '../dispatch/call.ts';
import type { Messages } from '../model/messages.ts';
import type { Records } from '../model/records.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { haIsOn } from './ha-plan.ts';
import { createPif, networkOf } from './network.ts';
import { createVlan, destroyVlan } from './vlan.ts';

const macPattern = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/;

/** A network card that the host has and no PIF tells of. */
interface Card {
  readonly device: string;
  readonly mac: string;
}

const cardsNote = (world: World, host: string): string => `cards/${world.store.get('host', host).uuid}`;
const forgottenCards = (world: World, host: string): readonly Card[] =>
  JSON.parse(world.note(cardsNote(world, host)) ?? '[]') as readonly Card[];
const keepCards = (world: World, host: string, cards: readonly Card[]): void =>
  world.setNote(cardsNote(world, host), JSON.stringify(cards));

/** Throws PIF_ALREADY_BONDED for a bond as well as for what is in one. */
function assertNotBonded(pif: Records['PIF'], ref: string): void {
  if (pif.bond_slave_of !== nullRef || pif.bond_master_of.length > 0) throw new XapiError('PIF_ALREADY_BONDED', ref);
}

/** While the pool is protected nobody changes an interface that is up. */
function assertUnprotected(world: World, ref: string): void {
  if (world.store.get('PIF', ref).currently_attached && haIsOn(world)) throw new XapiError('HA_IS_ENABLED');
}

function assertForgettable(world: World, ref: string): void {
  const pif = world.store.get('PIF', ref);
  assertNotBonded(pif, ref);
  if (pif.VLAN_slave_of.length > 0 || pif.VLAN >= 0) throw new XapiError('PIF_VLAN_STILL_EXISTS', ref);
  if (pif.tunnel_transport_PIF_of.length > 0 || pif.tunnel_access_PIF_of.length > 0)
    throw new XapiError('PIF_TUNNEL_STILL_EXISTS', ref);
  if (pif.management && pif.currently_attached && pif.host !== world.pool.master)
    throw new XapiError('PIF_IS_MANAGEMENT_INTERFACE', ref);
  assertUnprotected(world, ref);
}

function drop(world: World, ref: string): void {
  const { metrics } = world.store.get('PIF', ref);
  world.store.destroy('PIF', ref);
  if (world.store.find('PIF_metrics', metrics) !== undefined) world.store.destroy('PIF_metrics', metrics);
}

function forget(world: World, ref: string): void {
  assertForgettable(world, ref);
  const { host, device, MAC: mac, physical } = world.store.get('PIF', ref);
  if (physical) keepCards(world, host, [...forgottenCards(world, host), { device, mac }]);
  drop(world, ref);
}

function represent(world: World, host: string, { device, mac }: Card): string {
  keepCards(
    world,
    host,
    forgottenCards(world, host).filter((card) => card.device !== device),
  );
  const pif = createPif(world, { device, network: networkOf(world, device), host });
  world.store.update('PIF', pif, { MAC: mac, currently_attached: false });
  return pif;
}

/** An empty MAC stands for the device's own. */
function introduce(world: World, host: string, givenMac: string, device: string): string {
  const card = forgottenCards(world, host).find((one) => one.device === device);
  const mac = givenMac === '' ? (card?.mac ?? '') : givenMac.toLowerCase();
  if (!macPattern.test(mac)) throw new XapiError('MAC_INVALID', mac);
  const pifs = world.store.get('host', host).PIFs.map((ref) => world.store.get('PIF', ref));
  if (pifs.some((pif) => pif.physical && pif.device === device))
    throw new XapiError('DUPLICATE_PIF_DEVICE_NAME', device);
  if (card === undefined || card.mac !== mac)
    throw new XapiError('COULD_NOT_FIND_NETWORK_INTERFACE_WITH_SPECIFIED_DEVICE_NAME_AND_MAC_ADDRESS', device, mac);
  return represent(world, host, card);
}

/** A host without any interface finds its first one. */
function scan(world: World, host: string): void {
  for (const card of forgottenCards(world, host)) represent(world, host, card);
  if (world.store.get('host', host).PIFs.length > 0) return;
  createPif(world, { device: 'eth0', network: networkOf(world, 'eth0'), host });
}

const badAddress = (what: string): XapiError => new XapiError('INVALID_IP_ADDRESS_SPECIFIED', what);

/** The interface by which a host is managed keeps an address of its primary kind. */
function assertManageable(world: World, ref: string, mode: string, kind: 'IPv4' | 'IPv6'): void {
  const { management, primary_address_type: primary } = world.store.get('PIF', ref);
  if (management && mode === 'None' && primary === kind) throw new XapiError('PIF_IS_MANAGEMENT_INTERFACE', ref);
}

function reconfigureIp(world: World, ...about: Messages['PIF.reconfigure_ip']): void {
  const [ref, mode, ip, netmask, gateway, dns] = about;
  assertUnprotected(world, ref);
  for (const [what, address, needed] of [
    ['IP', ip, mode === 'Static'],
    ['netmask', netmask, mode === 'Static'],
    ['gateway', gateway, false],
  ] as const)
    if (needed ? !isIPv4(address) : address !== '' && isIP(address) === 0) throw badAddress(what);
  assertManageable(world, ref, mode, 'IPv4');
  const { DNS: before } = world.store.get('PIF', ref);
  world.store.update('PIF', ref, {
    ...{ ip_configuration_mode: mode, IP: ip, netmask, gateway, DNS: dns === '' ? before : dns },
  });
}

function assertPrefixed(address: string): void {
  const [ip = '', prefix] = address.split('/');
  if (prefix === undefined) throw badAddress('Prefix length must be specified (format: <ipv6>/<prefix>');
  if (!isIPv6(ip)) throw badAddress('IPv6');
  if (!/^\d+$/.test(prefix)) throw badAddress(`Cannot parse prefix length '${prefix}'`);
  if (Number(prefix) > 128) throw badAddress('Prefix length must be between 0 and 128');
}

function reconfigureIpv6(world: World, ...about: Messages['PIF.reconfigure_ipv6']): void {
  const [ref, mode, address, gateway, dns] = about;
  assertUnprotected(world, ref);
  if (gateway !== '' && isIP(gateway) === 0) throw badAddress('gateway');
  if (address !== '') assertPrefixed(address);
  assertManageable(world, ref, mode, 'IPv6');
  const { DNS: before } = world.store.get('PIF', ref);
  world.store.update('PIF', ref, {
    ipv6_configuration_mode: mode,
    IPv6: [address],
    ipv6_gateway: gateway,
    DNS: dns === '' ? before : dns,
  });
}

/** The only property of an interface: whether its card joins the packets that it receives. */
function setProperty(world: World, ref: string, name: string, value: string): void {
  const { physical, bond_master_of: bonds, properties } = world.store.get('PIF', ref);
  if (!physical && bonds.length === 0) throw new XapiError('CANNOT_CHANGE_PIF_PROPERTIES', ref);
  if (name !== 'gro' || !['on', 'off'].includes(value))
    throw new XapiError('INVALID_VALUE', 'properties', `${name} = ${value}`);
  world.store.update('PIF', ref, { properties: { ...properties, [name]: value } });
}

function plug(world: World, ref: string): void {
  const { tunnel_access_PIF_of: tunnels, bond_slave_of: bond } = world.store.get('PIF', ref);
  for (const tunnel of tunnels) {
    const { transport_PIF: transport } = world.store.get('tunnel', tunnel);
    if (world.store.get('PIF', transport).ip_configuration_mode === 'None')
      throw new XapiError('TRANSPORT_PIF_NOT_CONFIGURED', transport);
    plug(world, transport);
    world.store.update('tunnel', tunnel, { status: { active: 'true' } });
  }
  if (bond !== nullRef) throw new XapiError('CANNOT_PLUG_BOND_SLAVE', ref);
  world.store.update('PIF', ref, { currently_attached: true });
}

/** Throws VIF_IN_USE where a VM of the host is plugged into the network. */
function assertNoTraffic(world: World, { network, host }: Records['PIF']): void {
  const busy = (world.store.find('network', network)?.VIFs ?? []).find((ref) => {
    const { currently_attached: attached, VM: vm } = world.store.get('VIF', ref);
    return attached && world.store.get('VM', vm).resident_on === host;
  });
  if (busy !== undefined) throw new XapiError('VIF_IN_USE', network, busy);
}

function unplug(world: World, ref: string): void {
  const pif = world.store.get('PIF', ref);
  assertUnprotected(world, ref);
  if (pif.management && pif.currently_attached) throw new XapiError('PIF_IS_MANAGEMENT_INTERFACE', ref);
  assertNoTraffic(world, pif);
  if (pif.disallow_unplug) throw new XapiError('PIF_DOES_NOT_ALLOW_UNPLUG', ref);
  for (const tunnel of pif.tunnel_transport_PIF_of) unplug(world, world.store.get('tunnel', tunnel).access_PIF);
  for (const tunnel of pif.tunnel_access_PIF_of) world.store.update('tunnel', tunnel, { status: { active: 'false' } });
  world.store.update('PIF', ref, { currently_attached: false });
}

/** As VLAN.create, on the host's interface of that device. Gives the VLAN's own interface. */
function createTagged(world: World, device: string, network: string, host: string, tag: number): string {
  const base = world.store.get('host', host).PIFs.find((ref) => {
    const pif = world.store.get('PIF', ref);
    return pif.device === device && pif.VLAN < 0;
  });
  if (base === undefined) throw new XapiError('INVALID_VALUE', 'device', device);
  return world.store.get('VLAN', createVlan(world, base, tag, network)).untagged_PIF;
}

function destroyTagged(world: World, ref: string): void {
  const { VLAN: tag, VLAN_master_of: vlan } = world.store.get('PIF', ref);
  if (tag < 0) throw new XapiError('PIF_IS_PHYSICAL', ref);
  destroyVlan(world, vlan);
}

function introduceRecord(world: World, ...about: Messages['PIF.db_introduce']): string {
  const [device, network, host, MAC, MTU, VLAN, physical, mode, IP, netmask, gateway, DNS, , vlan, management] = about;
  const [other_config, disallow_unplug = false, v6Mode = 'None', IPv6 = [], ipv6_gateway = ''] = about.slice(15) as [
    Readonly<Record<string, string>>,
    boolean?,
    string?,
    (readonly string[])?,
    string?,
  ];
  const [primary_address_type = 'IPv4', managed = true, properties = { gro: 'on' }] = about.slice(20) as [
    string?,
    boolean?,
    Readonly<Record<string, string>>?,
  ];
  return world.store.create('PIF', {
    ...{ device, network, host, MAC, MTU, VLAN, physical, ip_configuration_mode: mode, IP, netmask, gateway, DNS },
    ...{ VLAN_master_of: vlan, management, other_config, disallow_unplug, ipv6_configuration_mode: v6Mode },
    ...{ IPv6, ipv6_gateway, primary_address_type, managed, properties, currently_attached: false },
    metrics: world.store.create('PIF_metrics', {}),
  });
}

/** The hosts' interfaces. */
export const pifBehaviour: Handlers = {
  'PIF.scan': ({ world }, host) => scan(world, host),
  'PIF.introduce': ({ world }, host, mac, device) => introduce(world, host, mac, device),
  'PIF.forget': ({ world }, pif) => forget(world, pif),
  'PIF.db_introduce': ({ world }, ...about) => introduceRecord(world, ...about),
  'PIF.db_forget': ({ world }, pif) => drop(world, pif),
  'PIF.create_VLAN': ({ world }, device, network, host, tag) => createTagged(world, device, network, host, tag),
  'PIF.destroy': ({ world }, pif) => destroyTagged(world, pif),
  'PIF.reconfigure_ip': ({ world }, ...about) => reconfigureIp(world, ...about),
  'PIF.reconfigure_ipv6': ({ world }, ...about) => reconfigureIpv6(world, ...about),
  'PIF.set_property': ({ world }, pif, name, value) => setProperty(world, pif, name, value),
  'PIF.plug': ({ world }, pif) => plug(world, pif),
  'PIF.unplug': ({ world }, pif) => unplug(world, pif),
};
