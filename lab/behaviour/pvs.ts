import { isIPv4 } from 'node:net';
import type { Handlers } from '../dispatch/call.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';

function assertPort(name: string, port: number): void {
  if (port < 1 || port > 65_535) throw new XapiError('VALUE_NOT_SUPPORTED', name, String(port), 'Port out of range');
}

function introduceServer(world: World, addresses: readonly string[], [first, last]: readonly [number, number]): void {
  if (!addresses.every((address) => isIPv4(address))) throw new XapiError('INVALID_IP_ADDRESS_SPECIFIED', 'addresses');
  const known = world.store.records('PVS_server').flatMap(([, server]) => server.addresses);
  const inUse = addresses.filter((address) => known.includes(address));
  if (inUse.length > 0) throw new XapiError('PVS_SERVER_ADDRESS_IN_USE', ...inUse);
  assertPort('first_port', first);
  assertPort('last_port', last);
  if (last < first)
    throw new XapiError('VALUE_NOT_SUPPORTED', 'last_port', String(last), 'last_port smaller than first_port');
}

function forgetSite({ store }: World, site: string): void {
  const { proxies, servers, cache_storage: storage } = store.get('PVS_site', site);
  const running = proxies.filter((proxy) => store.get('PVS_proxy', proxy).currently_attached);
  if (running.length > 0) throw new XapiError('PVS_SITE_CONTAINS_RUNNING_PROXIES', ...running);
  if (servers.length > 0) throw new XapiError('PVS_SITE_CONTAINS_SERVERS', ...servers);
  for (const ref of storage) store.destroy('PVS_cache_storage', ref);
  for (const ref of proxies) store.destroy('PVS_proxy', ref);
  store.destroy('PVS_site', site);
}

/** Sites that give VMs their disks over the network, as records (xapi_pvs_*.ml): nobody boots from them. */
export const pvsBehaviour: Handlers = {
  'PVS_site.introduce': ({ world }, label, description, uuid) =>
    world.store.create('PVS_site', { name_label: label, name_description: description, PVS_uuid: uuid }),
  'PVS_site.forget': ({ world }, site) => forgetSite(world, site),
  'PVS_server.introduce': ({ world }, addresses, first, last, site) => {
    introduceServer(world, addresses, [first, last]);
    return world.store.create('PVS_server', {
      ...{ addresses: [...new Set(addresses)], first_port: first, last_port: last, site },
    });
  },
  'PVS_server.forget': ({ world }, server) => world.store.destroy('PVS_server', server),
  'PVS_proxy.create': ({ world }, site, vif) => {
    const already = world.store.records('PVS_proxy').filter(([, proxy]) => proxy.VIF === vif);
    if (world.store.get('VIF', vif).device !== '0') throw new XapiError('PVS_VIF_MUST_BE_FIRST_DEVICE');
    if (already.length > 0) throw new XapiError('PVS_PROXY_ALREADY_PRESENT', ...already.map(([ref]) => ref));
    return world.store.create('PVS_proxy', { site, VIF: vif });
  },
  'PVS_proxy.destroy': ({ world }, proxy) => world.store.destroy('PVS_proxy', proxy),
};
