import type { Socket } from 'node:net';
import type { AddressBook, HeldAddress } from '../guests/addresses.ts';
import { GuestBootError } from '../guests/boot-errors.ts';
import { BootingGuest } from '../guests/booting-guest.ts';
import { configureGuest, type GuestConfig } from '../guests/cloud-init.ts';
import { guestHostKeys } from '../guests/host-keys.ts';
import { staticIpv4 } from '../guests/network-config.ts';
import { breakSocket } from '../guests/ssh-service.ts';
import type { GuestSpec, RunningGuest } from '../world/guests.ts';
import { AddressWatch } from './address-watch.ts';
import { configureScript, finalScript, servicesScript } from './boot-script.ts';
import type { CommandResult } from './commands.ts';
import type { Fabric, Port } from './fabric.ts';
import { installImage } from './image.ts';
import { interfaceScript, planInterfaces, type Interface } from './interfaces.ts';
import { Machine } from './machine.ts';
import { Relay } from './relay.ts';
import { removeNamespace, type Site } from './site.ts';

/** Where SSH listens for everybody but the lab's own side. */
const sshPort = 22;

export interface Surroundings {
  readonly site: Site;
  readonly fabric: Fabric;
  readonly addresses: AddressBook;
  readonly imageHostKeys: ReadonlyMap<string, string>;
  /** Folder of the guest's disk. */
  readonly disk: string;
  readonly onSshConnect: () => void;
  readonly onFault: (error: unknown) => void;
  readonly onStopped: () => void;
}

interface Booted {
  /** Where the lab's side reaches it; undefined when it is in none of the networks where the lab gives addresses. */
  readonly address: string | undefined;
  readonly hostname: string;
}

/** A guest that is a network namespace with processes and files of its own: the machine's daemons, under their own names. */
export class NamespaceGuest extends BootingGuest<Booted> implements RunningGuest {
  readonly #spec: GuestSpec;
  readonly #surroundings: Surroundings;
  readonly #ports: Port[] = [];
  readonly #relays: Relay[] = [];
  #namespace: string | undefined;
  #machine: Machine | undefined;
  #watch: AddressWatch | undefined;

  constructor(spec: GuestSpec, surroundings: Surroundings) {
    super(spec);
    this.#spec = spec;
    this.#surroundings = surroundings;
  }

  /** Undefined unless it has power. */
  get namespace(): string | undefined {
    return this.#namespace;
  }

  /** Runs a program inside, as root, as if typed on the console. */
  execute(command: readonly string[], input = ''): Promise<CommandResult> {
    if (this.#machine === undefined) throw new Error(`${this.#spec.name} is not switched on`);
    return this.#machine.execute(command, input);
  }

  async shutDown(): Promise<void> {
    await this.bootEnded;
    await this.#machine?.execute(['systemctl', 'poweroff']);
    await this.stop();
  }

  protected async goDown(): Promise<void> {
    await this.#watch?.close();
    // The cables first: without power nothing is sent or forwarded, not even while processes are still dying.
    for (const port of this.#ports) await this.#surroundings.fabric.unplug(port);
    await this.#machine?.powerOff();
    this.#machine = undefined;
    await Promise.all(this.#relays.map((relay) => relay.close()));
    if (this.#namespace !== undefined) await removeNamespace(this.#namespace);
    this.#namespace = undefined;
    this.log('power off');
    this.#surroundings.onStopped();
  }

  protected async comeUp(): Promise<Booted> {
    const { drive, vifs } = this.#spec;
    const macs = vifs.map(({ mac }) => mac);
    const config = configureGuest(drive, macs, (line) => this.log(line));
    const hostKeys = guestHostKeys(config.hostKeys, config.deletesImageHostKeys, this.#surroundings.imageHostKeys);
    const namespace = await this.#switchOn();
    await this.#script(configureScript(config, hostKeys, [sshPort, this.#spec.sshPort || 2222]));
    await this.#configureNetwork(config, namespace);
    await this.#script(servicesScript);
    this.#watch = await AddressWatch.open(
      namespace,
      (networks) => this.#spec.onNetworks?.(networks),
      this.#surroundings.onFault,
    );
    await this.#script(finalScript);
    return { address: this.#relays[0]?.address, hostname: config.hostname };
  }

  async #switchOn(): Promise<string> {
    const { site, fabric, disk } = this.#surroundings;
    installImage(disk);
    const namespace = await site.addNamespace(`vm-${site.nextNumber()}`);
    this.#namespace = namespace;
    for (const { device, network, mac } of this.#spec.vifs) {
      this.#ports.push(await fabric.plug(namespace, `eth${device}`, network, mac));
    }
    this.#machine = await Machine.powerOn(namespace, disk, (line) => this.log(line));
    return namespace;
  }

  async #configureNetwork(config: GuestConfig, namespace: string): Promise<void> {
    for (const entry of planInterfaces(this.#spec.vifs, config.interfaces)) {
      const held = entry.vif.isolated ? [] : await this.#hold(entry);
      for (const one of held) this.#relays.push(new Relay(one, namespace, (socket) => this.#onSsh(socket)));
      const leased = held.map(({ address }) => address);
      await this.#script(interfaceScript(entry, config.hostname, leased));
    }
  }

  /** Addresses of the lab's own, in a network where it is the lab that gives them. */
  async #hold({ vif, config }: Interface): Promise<HeldAddress[]> {
    const { addresses } = this.#surroundings;
    const wanted = staticIpv4(config);
    if (wanted.length > 0) return Promise.all(wanted.map((one) => addresses.take(one, this.#spec.sshPort)));
    const hint = vif.device === this.#spec.vifs[0]?.device ? this.#spec.addressHint : undefined;
    return config.dhcp4 ? [await addresses.lease(hint, this.#spec.sshPort)] : [];
  }

  /** A wrong host key is beyond a connection's means: the guest's sshd has its own. */
  #onSsh(socket: Socket): void {
    this.#surroundings.onSshConnect();
    const fault = this.#spec.onSshConnection?.();
    if (fault !== undefined) breakSocket(socket, fault);
  }

  async #script(script: string): Promise<void> {
    if (this.#machine === undefined) return;
    const { stderr, exitCode } = await this.#machine.execute(['sh', '-s'], script);
    for (const line of stderr.split('\n').filter((text) => text !== '')) this.log(line);
    if (exitCode === 0 || this.isPoweredOff) return;
    throw new GuestBootError(stderr.trim().split('\n').at(-1) || `a script of the boot ended with ${exitCode}`);
  }
}
