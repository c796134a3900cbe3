import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { AddressBook } from '../guests/addresses.ts';
import { generateHostKeys } from '../guests/host-keys.ts';
import type { GuestSpec, Guests } from '../world/guests.ts';
import { ip } from './commands.ts';
import { Fabric } from './fabric.ts';
import { NamespaceGuest } from './namespace-guest.ts';
import { namespaceTrouble } from './requirements.ts';
import { ProbeRuns, type EndpointSpec } from './probe-runs.ts';
import { removeNamespace, Site } from './site.ts';

const guestsAtMost = 100;

export interface NamespaceGuestsOptions {
  /** Called once per SSH connection that comes in from the lab's side. */
  readonly onSshConnect?: (event: { vmUuid: string }) => void;
  /** Told of failures of the lab itself that no call can answer. */
  readonly onFault: (error: unknown) => void;
}

/** Guests that are network namespaces of this machine: real daemons and real packets. Linux only, as root. */
export class NamespaceGuests implements Guests {
  readonly areBoundToPool = true;
  readonly #options: NamespaceGuestsOptions;
  readonly #site: Site;
  readonly #fabric: Fabric;
  readonly #addresses = new AddressBook();
  readonly #imageHostKeys = generateHostKeys();
  readonly #running = new Map<string, NamespaceGuest>();
  /** Measurements of the networks between the guests. */
  readonly probes = new ProbeRuns(this);

  private constructor(options: NamespaceGuestsOptions, site: Site, fabric: Fabric) {
    this.#options = options;
    this.#site = site;
    this.#fabric = fabric;
  }

  /** Removes what killed labs have left, first. Throws Error, with what to do, when the machine cannot have namespace guests. */
  static async open(options: NamespaceGuestsOptions): Promise<NamespaceGuests> {
    const trouble = namespaceTrouble();
    if (trouble !== undefined) throw new Error(trouble);
    const site = await Site.open();
    return new NamespaceGuests(options, site, await Fabric.open(site));
  }

  boot(spec: GuestSpec): NamespaceGuest {
    if (this.#running.size >= guestsAtMost) {
      throw new Error(`A lab runs ${guestsAtMost} namespace guests at most; more of them: in-process guests`);
    }
    const guest: NamespaceGuest = new NamespaceGuest(spec, {
      site: this.#site,
      fabric: this.#fabric,
      addresses: this.#addresses,
      imageHostKeys: this.#imageHostKeys,
      disk: this.#diskOf(spec.vmUuid),
      onSshConnect: () => this.#options.onSshConnect?.({ vmUuid: spec.vmUuid }),
      onFault: this.#options.onFault,
      onStopped: () => {
        if (this.#running.get(spec.vmUuid) === guest) this.#running.delete(spec.vmUuid);
      },
    });
    this.#running.set(spec.vmUuid, guest);
    return guest;
  }

  /** The guest that has power, by its VM's uuid. */
  find(vmUuid: string): NamespaceGuest | undefined {
    return this.#running.get(vmUuid);
  }

  /** Adds a namespace that is nothing but an address in a network: an end for probes. */
  async addEndpoint({ network, role, address, gateway }: EndpointSpec): Promise<string> {
    const namespace = await this.#site.addNamespace(`${role}-${this.#site.nextNumber()}`);
    await this.#fabric.plug(namespace, 'eth0', network);
    const route = gateway === undefined ? [] : [`route add default via ${gateway}`];
    await ip(namespace, 'link set lo up', 'link set eth0 up', `address add ${address} dev eth0`, ...route);
    return namespace;
  }

  /** Nothing may run in it any more. */
  removeEndpoint(namespace: string): Promise<void> {
    return removeNamespace(namespace);
  }

  /** Everything that belongs to this lab on the machine begins with it. */
  get mark(): string {
    return this.#site.mark;
  }

  forget(vmUuid: string): void {
    rmSync(this.#diskOf(vmUuid), { recursive: true, force: true });
  }

  /** Stops every guest and removes everything that the lab has made on the machine. */
  async close(): Promise<void> {
    await this.probes.close();
    await Promise.all([...this.#running.values()].map((guest) => guest.stop()));
    await this.#fabric.close();
    await this.#site.close();
  }

  #diskOf(vmUuid: string): string {
    return join(this.#site.folder, vmUuid);
  }
}
