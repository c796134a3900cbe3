import type { Handlers } from '../dispatch/call.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';

const maxTag = 4094;

/** Gives the reference of the VLAN; its own interface is `untagged_PIF`. */
export function createVlan(world: World, taggedPif: string, tag: number, network: string): string {
  const { host, device, MAC, MTU, physical, VLAN: outerTag } = world.store.get('PIF', taggedPif);
  if (tag < 0 || tag > maxTag) throw new XapiError('VLAN_TAG_INVALID', String(tag));
  if (outerTag >= 0) throw new XapiError('PIF_IS_VLAN', taggedPif);
  const { bond_slave_of: bond, tunnel_access_PIF_of: tunnels } = world.store.get('PIF', taggedPif);
  if (tunnels.length > 0) throw new XapiError('IS_TUNNEL_ACCESS_PIF', taggedPif);
  if (bond !== nullRef) throw new XapiError('CANNOT_ADD_VLAN_TO_BOND_SLAVE', taggedPif);
  const pifs = world.store.records('PIF').filter(([, pif]) => pif.host === host);
  const [same] = pifs.find(([, pif]) => pif.device === device && pif.VLAN === tag) ?? [];
  if (same !== undefined) throw new XapiError('PIF_VLAN_EXISTS', same);
  const [onNetwork] = pifs.find(([, pif]) => pif.network === network) ?? [];
  if (onNetwork !== undefined) throw new XapiError('NETWORK_ALREADY_CONNECTED', host, onNetwork);
  const vlan = world.store.create('VLAN', { tagged_PIF: taggedPif, tag });
  const pif = world.store.create('PIF', {
    device,
    network,
    host,
    MAC,
    MTU,
    VLAN: tag,
    VLAN_master_of: vlan,
    physical: false,
    currently_attached: physical,
    ip_configuration_mode: 'None',
    metrics: world.store.get('PIF', taggedPif).metrics,
  });
  world.store.update('VLAN', vlan, { untagged_PIF: pif });
  return vlan;
}

export function destroyVlan(world: World, vlan: string): void {
  const { untagged_PIF: pif } = world.store.get('VLAN', vlan);
  if (world.store.find('PIF', pif)?.management === true) throw new XapiError('PIF_IS_MANAGEMENT_INTERFACE', pif);
  if (pif !== nullRef) world.store.destroy('PIF', pif);
  world.store.destroy('VLAN', vlan);
}

/** Every host's interface of the device gets its VLAN on the network; gives the new interfaces. */
function createEverywhere(world: World, device: string, network: string, tag: number): string[] {
  const pifs = world.store.records('PIF').filter(([, pif]) => pif.device === device && pif.physical);
  return pifs.map(([ref]) => world.store.get('VLAN', createVlan(world, ref, tag, network)).untagged_PIF);
}

export const vlanBehaviour: Handlers = {
  'VLAN.create': ({ world }, pif, tag, network) => createVlan(world, pif, tag, network),
  'VLAN.destroy': ({ world }, vlan) => destroyVlan(world, vlan),
  'pool.create_VLAN': ({ world }, device, network, tag) => createEverywhere(world, device, network, tag),
  'pool.create_VLAN_from_PIF': ({ world }, pif, network, tag) =>
    createEverywhere(world, world.store.get('PIF', pif).device, network, tag),
};
