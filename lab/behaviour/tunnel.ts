import type { Handlers } from '../dispatch/call.ts';
import { macFrom, nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';

/** The first of tunnel0, tunnel1, … that the host has not. */
function freeDevice(world: World, host: string): string {
  const taken = new Set(world.store.get('host', host).PIFs.map((ref) => world.store.get('PIF', ref).device));
  for (let number = 0; ; number++) if (!taken.has(`tunnel${number}`)) return `tunnel${number}`;
}

/** Throws OPENVSWITCH_NOT_ACTIVE, CANNOT_ADD_TUNNEL_TO_BOND_SLAVE, IS_TUNNEL_ACCESS_PIF, NETWORK_ALREADY_CONNECTED. */
function create(world: World, transport: string, network: string, protocol: string): string {
  const { host, bond_slave_of: bond, tunnel_access_PIF_of: carriedBy } = world.store.get('PIF', transport);
  const { PIFs: pifs, software_version: software, name_label: hostName } = world.store.get('host', host);
  if (software['network_backend'] !== 'openvswitch') throw new XapiError('OPENVSWITCH_NOT_ACTIVE');
  if (bond !== nullRef) throw new XapiError('CANNOT_ADD_TUNNEL_TO_BOND_SLAVE', transport);
  if (carriedBy.length > 0) throw new XapiError('IS_TUNNEL_ACCESS_PIF', transport);
  const other = pifs.find((ref) => world.store.get('PIF', ref).network === network);
  if (other !== undefined) throw new XapiError('NETWORK_ALREADY_CONNECTED', host, other);
  const device = freeDevice(world, host);
  const access = world.store.create('PIF', {
    ...{ device, network, host, MAC: macFrom(hostName, device), MTU: world.store.get('network', network).MTU },
    ...{ VLAN: -1, physical: false, currently_attached: false, ip_configuration_mode: 'None' },
    metrics: world.store.get('PIF', transport).metrics,
  });
  return world.store.create('tunnel', {
    ...{ access_PIF: access, transport_PIF: transport, status: { active: 'false' }, protocol },
  });
}

/** A network between hosts inside of another one. */
export const tunnelBehaviour: Handlers = {
  'tunnel.create': ({ world }, transport, network, protocol = 'gre') => create(world, transport, network, protocol),
  'tunnel.destroy': ({ world }, tunnel) => {
    const { access_PIF: access } = world.store.get('tunnel', tunnel);
    world.store.destroy('tunnel', tunnel);
    world.store.destroy('PIF', access);
  },
};
