import { ip } from './commands.ts';
import type { Site } from './site.ts';
import { removeNamespace } from './site.ts';

/** One plugged interface: a pair of virtual Ethernet devices, one end in the guest, the other one in the network's bridge. */
export interface Port {
  readonly name: string;
  readonly namespace: string;
  readonly device: string;
}

/**
 * The switches between the guests: a bridge for each network, all in a namespace of the lab's own, so that the machine's
 * network is never touched.
 */
export class Fabric {
  readonly #site: Site;
  readonly #namespace: string;
  readonly #bridges = new Map<string, Promise<string>>();

  private constructor(site: Site, namespace: string) {
    this.#site = site;
    this.#namespace = namespace;
  }

  static async open(site: Site): Promise<Fabric> {
    return new Fabric(site, await site.addNamespace('fabric'));
  }

  /** Gives the namespace an interface in the network; it is not up yet. An empty MAC is the kernel's choice. */
  async plug(namespace: string, device: string, network: string, mac = ''): Promise<Port> {
    const bridge = await this.#bridgeOf(network);
    const name = `port-${this.#site.nextNumber()}`;
    const address = mac === '' ? '' : `address ${mac}`;
    await ip(
      this.#namespace,
      `link add ${name} type veth peer name ${device} ${address} netns ${namespace}`,
      `link set ${name} master ${bridge} up`,
    );
    return { name, namespace, device };
  }

  /** Both ends go. */
  async unplug({ name }: Port): Promise<void> {
    await ip(this.#namespace, `link delete ${name}`);
  }

  /** A port that is down carries nothing in either direction. */
  async setLink({ name }: Port, state: 'up' | 'down'): Promise<void> {
    await ip(this.#namespace, `link set ${name} ${state}`);
  }

  async close(): Promise<void> {
    await removeNamespace(this.#namespace);
  }

  #bridgeOf(network: string): Promise<string> {
    const known = this.#bridges.get(network);
    if (known !== undefined) return known;
    const added = this.#addBridge(`bridge-${this.#bridges.size + 1}`);
    this.#bridges.set(network, added);
    return added;
  }

  /** Multicast is flooded: nobody here speaks IGMP to the switch, and VRRP lives on it. */
  async #addBridge(name: string): Promise<string> {
    await ip(
      this.#namespace,
      `link add ${name} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
      `link set ${name} up`,
    );
    return name;
  }
}
