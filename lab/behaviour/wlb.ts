import type { Handlers } from '../dispatch/call.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';

const isInitialized = (world: World): boolean => world.store.get('pool', world.pool.ref).wlb_url !== '';

function assertInitialized(world: World): void {
  if (!isInitialized(world)) throw new XapiError('WLB_NOT_INITIALIZED');
}

/** A pool can be told of a workload balancing server; none runs in the lab, so nothing ever answers at its address. */
function askServer(world: World): never {
  assertInitialized(world);
  if (!world.store.get('pool', world.pool.ref).wlb_enabled) throw new XapiError('WLB_DISABLED');
  throw new XapiError('WLB_CONNECTION_REFUSED');
}

function initialize(world: World, url: string, username: string): void {
  if (!/^[^\s:/]+:\d+$/.test(url)) throw new XapiError('WLB_URL_INVALID', url);
  world.store.update('pool', world.pool.ref, { wlb_url: url, wlb_username: username });
}

function deconfigure(world: World): void {
  assertInitialized(world);
  world.store.update('pool', world.pool.ref, { wlb_url: '', wlb_username: '', wlb_enabled: false });
}

/** Workload balancing: what a pool knows of its server, and what it answers without one. */
export const wlbBehaviour: Handlers = {
  'pool.initialize_wlb': ({ world }, url, username) => initialize(world, url, username),
  'pool.deconfigure_wlb': ({ world }) => deconfigure(world),
  'pool.set_wlb_enabled': ({ world }, pool, enabled) => {
    if (enabled) assertInitialized(world);
    world.store.update('pool', pool, { wlb_enabled: enabled });
  },
  'pool.retrieve_wlb_recommendations': ({ world }) => askServer(world),
  'pool.retrieve_wlb_configuration': ({ world }) => askServer(world),
  'pool.send_wlb_configuration': ({ world }) => askServer(world),
  'VM.retrieve_wlb_recommendations': ({ world }) => askServer(world),
  'host.retrieve_wlb_evacuate_recommendations': ({ world }) => askServer(world),
};
