import { isIPv4, isIPv6 } from 'node:net';
import type { Handlers } from '../dispatch/call.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { seesNetwork } from './boot-checks.ts';

const agentFeature = 'feature-static-ip-setting';

interface Family {
  readonly isAddress: (text: string) => boolean;
  readonly longestPrefix: number;
  readonly allowed: 'ipv4_allowed' | 'ipv6_allowed';
}

const ipv4: Family = { isAddress: isIPv4, longestPrefix: 32, allowed: 'ipv4_allowed' };
const ipv6: Family = { isAddress: isIPv6, longestPrefix: 128, allowed: 'ipv6_allowed' };

/** Throws INVALID_CIDR_ADDRESS_SPECIFIED unless it reads `192.0.2.9/24`. Gives the address alone. */
function addressIn(text: string, { isAddress, longestPrefix }: Family): string {
  const [address = '', prefix = ''] = text.split('/');
  if (!isAddress(address) || !/^\d+$/.test(prefix) || Number(prefix) > longestPrefix)
    throw new XapiError('INVALID_CIDR_ADDRESS_SPECIFIED', 'address');
  return address;
}

/** Where only some addresses may be used, it has to be one of them. */
function assertAllowed(world: World, vif: string, text: string, address: string, { allowed }: Family): void {
  const { locking_mode: mode, [allowed]: addresses } = world.store.get('VIF', vif);
  if (mode === 'locked' && !addresses.includes(address))
    throw new XapiError('ADDRESS_VIOLATES_LOCKING_CONSTRAINT', text);
}

/** The agent in the guest sets it. Throws VM_LACKS_FEATURE. */
function assertAgentSets(world: World, vif: string): void {
  const { VM: vm } = world.store.get('VIF', vif);
  const { guest_metrics: metrics } = world.store.get('VM', vm);
  if (world.store.find('VM_guest_metrics', metrics)?.other[agentFeature] !== '1')
    throw new XapiError('VM_LACKS_FEATURE', vm);
}

function assertConfigurable(
  world: World,
  family: Family,
  [vif, mode, address, gateway]: readonly [string, string, string, string],
): void {
  if (mode === 'Static') {
    assertAllowed(world, vif, address, addressIn(address, family), family);
    if (gateway !== '' && !family.isAddress(gateway)) throw new XapiError('INVALID_IP_ADDRESS_SPECIFIED', 'gateway');
  }
  assertAgentSets(world, vif);
}

/** A running VM's host has to see the new network. */
function move(world: World, vif: string, network: string): void {
  const { VM: vm, currently_attached: attached } = world.store.get('VIF', vif);
  const { resident_on: host } = world.store.get('VM', vm);
  if (attached && !seesNetwork(world, host, network)) throw new XapiError('HOST_CANNOT_ATTACH_NETWORK', host, network);
  world.store.update('VIF', vif, { network });
}

/** Throws INVALID_IP_ADDRESS_SPECIFIED. No address is kept twice. */
function allow(world: World, vif: string, addresses: readonly string[], { allowed, isAddress }: Family): void {
  if (!addresses.every(isAddress)) throw new XapiError('INVALID_IP_ADDRESS_SPECIFIED', allowed);
  world.store.update('VIF', vif, { [allowed]: [...new Set(addresses)] });
}

/** What of a virtual interface can be changed while it is in use. */
export const vifSettings: Handlers = {
  'VIF.move': ({ world }, vif, network) => move(world, vif, network),
  'VIF.set_ipv4_allowed': ({ world }, vif, addresses) => allow(world, vif, addresses, ipv4),
  'VIF.add_ipv4_allowed': ({ world }, vif, address) =>
    allow(world, vif, [address, ...world.store.get('VIF', vif).ipv4_allowed], ipv4),
  'VIF.set_ipv6_allowed': ({ world }, vif, addresses) => allow(world, vif, addresses, ipv6),
  'VIF.add_ipv6_allowed': ({ world }, vif, address) =>
    allow(world, vif, [address, ...world.store.get('VIF', vif).ipv6_allowed], ipv6),
  'VIF.configure_ipv4': ({ world }, vif, mode, address = '', gateway = '') => {
    assertConfigurable(world, ipv4, [vif, mode, address, gateway]);
    world.store.update('VIF', vif, {
      ...{ ipv4_configuration_mode: mode, ipv4_addresses: [address], ipv4_gateway: gateway },
    });
  },
  'VIF.configure_ipv6': ({ world }, vif, mode, address = '', gateway = '') => {
    assertConfigurable(world, ipv6, [vif, mode, address, gateway]);
    world.store.update('VIF', vif, {
      ...{ ipv6_configuration_mode: mode, ipv6_addresses: [address], ipv6_gateway: gateway },
    });
  },
};
