import type { Handlers } from '../dispatch/call.ts';
import { macFrom } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { assertHaOff } from './ha-plan.ts';

/** The pool-wide network of a device, told by its bridge; the first host that finds the device makes it. */
export function networkOf(world: World, device: string): string {
  const bridge = device.startsWith('eth') ? `xenbr${device.slice('eth'.length)}` : `br${device}`;
  const [found] = world.store.records('network').find(([, network]) => network.bridge === bridge) ?? [];
  const name = `Pool-wide network associated with ${device}`;
  return found ?? world.store.create('network', { name_label: name, bridge });
}

/** The name given, or the first of xapi0, xapi1, … that no network has. Throws BRIDGE_NAME_EXISTS. */
function bridgeFor(world: World, name: string): string {
  const taken = new Set(world.store.records('network').map(([, { bridge }]) => bridge));
  if (name !== '' && taken.has(name)) throw new XapiError('BRIDGE_NAME_EXISTS', name);
  if (name !== '') return name;
  for (let number = 0; ; number++) if (!taken.has(`xapi${number}`)) return `xapi${number}`;
}

export interface PifOptions {
  readonly device: string;
  readonly network: string;
  readonly host: string;
  /** The address of the API on this interface. */
  readonly managementAddress?: string;
}

export function createPif(world: World, { device, network, host, managementAddress }: PifOptions): string {
  const management = managementAddress !== undefined;
  return world.store.create('PIF', {
    device,
    network,
    host,
    MAC: macFrom(world.store.get('host', host).name_label, device),
    MTU: 1500,
    VLAN: -1,
    physical: true,
    currently_attached: true,
    management,
    ip_configuration_mode: management ? 'Static' : 'None',
    IP: managementAddress ?? '',
    metrics: world.store.create('PIF_metrics', { carrier: true, speed: 10_000, duplex: true }),
  });
}

export const networkBehaviour: Handlers = {
  'host.management_reconfigure': ({ world }, pif) => {
    assertHaOff(world);
    const { host } = world.store.get('PIF', pif);
    for (const other of world.store.get('host', host).PIFs) {
      world.store.update('PIF', other, { management: other === pif });
    }
  },
  'network.create': ({ world }, record) =>
    world.store.create('network', { ...record, bridge: bridgeFor(world, record.bridge) }),
  'network.destroy': ({ world }, network) => {
    const { PIFs: pifs, VIFs: vifs } = world.store.get('network', network);
    const plugged = vifs.find((vif) => world.store.get('VIF', vif).currently_attached);
    if (plugged !== undefined) throw new XapiError('NETWORK_CONTAINS_VIF', plugged);
    const [pif] = pifs;
    if (pif !== undefined) throw new XapiError('NETWORK_CONTAINS_PIF', pif);
    for (const vif of vifs) world.store.destroy('VIF', vif);
    world.store.destroy('network', network);
  },
};
