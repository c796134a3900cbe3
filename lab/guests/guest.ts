import type { SshFault } from '../fault-spec.ts';
import { AddressBook, type HeldAddress } from './addresses.ts';
import { BootingGuest } from './booting-guest.ts';
import { configureGuest, type GuestConfig } from './cloud-init.ts';
import { generateHostKeys, guestHostKeys } from './host-keys.ts';
import { staticIpv4 } from './network-config.ts';
import { SshService } from './ssh-service.ts';

export interface GuestSpec {
  readonly vmUuid: string;
  readonly name: string;
  /** The raw content of the config drive's disk, which may be longer than the file system on it. */
  readonly drive: Buffer | undefined;
  readonly vifs: readonly { readonly mac: string }[];
  /** The address that the guest had before; it gets it again if it is free. */
  readonly addressHint?: string;
  readonly bootDelayMs: number;
  /** 0: any port, the same for all. */
  readonly sshPort: number;
  readonly neverBoots?: boolean;
  /** Asked at each SSH connection for what is planned to go wrong with it. */
  readonly onSshConnection?: () => SshFault | undefined;
  /** Told of the addresses when it has booted, by the keys of guest metrics. */
  readonly onNetworks?: (networks: Readonly<Record<string, string>>) => void;
}

export interface BootedGuest {
  readonly address: string;
  readonly hostname: string;
  readonly sshPort: number;
}

export interface RunningGuest {
  /** Undefined until the guest has booted and after it was stopped. */
  readonly address: string | undefined;
  readonly sshPort: number | undefined;
  /** Settles when SSH answers: never, when the guest cannot come up; the reason is on its console. Rejects when the lab itself fails. */
  readonly booted: Promise<BootedGuest>;
  /** The last lines of the console, the newest last. */
  readonly consoleLog: readonly string[];
  /** Like a power cut. Resolves when every socket is closed and the address is free; a second call changes nothing. */
  stop(): Promise<void>;
  /** The same here: nothing in the guest needs to be told beforehand. */
  shutDown(): Promise<void>;
}

export interface InProcessGuestsOptions {
  /** Called once per SSH connection, with the user it tried to log in as, if it came that far. */
  readonly onSshConnect?: (event: { vmUuid: string; user?: string }) => void;
}

/** Guests that live in the lab's own process: each boots from its config drive and answers real SSH on a loopback address of its own. */
export class InProcessGuests {
  readonly areBoundToPool = false;
  readonly #options: InProcessGuestsOptions;
  readonly #addresses = new AddressBook();
  readonly #imageHostKeys = generateHostKeys();
  readonly #running = new Set<Guest>();

  constructor(options: InProcessGuestsOptions) {
    this.#options = options;
  }

  boot(spec: GuestSpec): RunningGuest {
    const guest = new Guest(spec, {
      addresses: this.#addresses,
      imageHostKeys: this.#imageHostKeys,
      onSshConnect: (user) => this.#options.onSshConnect?.({ vmUuid: spec.vmUuid, user }),
      onStopped: () => this.#running.delete(guest),
    });
    this.#running.add(guest);
    return guest;
  }

  /** Nothing of a guest outlives its power here. */
  forget(): void {}

  /** Stops every guest. */
  async close(): Promise<void> {
    await Promise.all([...this.#running].map((guest) => guest.stop()));
  }
}

interface Surroundings {
  readonly addresses: AddressBook;
  readonly imageHostKeys: ReadonlyMap<string, string>;
  readonly onSshConnect: (user: string | undefined) => void;
  readonly onStopped: () => void;
}

class Guest extends BootingGuest<BootedGuest> implements RunningGuest {
  readonly #spec: GuestSpec;
  readonly #surroundings: Surroundings;
  #service: SshService | undefined;
  #held: HeldAddress | undefined;

  constructor(spec: GuestSpec, surroundings: Surroundings) {
    super(spec);
    this.#spec = spec;
    this.#surroundings = surroundings;
  }

  get address(): string | undefined {
    return this.#held?.address;
  }

  get sshPort(): number | undefined {
    return this.#held?.port;
  }

  shutDown(): Promise<void> {
    return this.stop();
  }

  protected async goDown(): Promise<void> {
    await this.#service?.close();
    this.#held = undefined;
    this.log('power off');
    this.#surroundings.onStopped();
  }

  protected async comeUp(): Promise<BootedGuest> {
    const macs = this.#spec.vifs.map(({ mac }) => mac);
    const config = configureGuest(this.#spec.drive, macs, (line) => this.log(line));
    const { deletesImageHostKeys, hostKeys } = config;
    const keys = guestHostKeys(hostKeys, deletesImageHostKeys, this.#surroundings.imageHostKeys);
    return this.#answer(config, [...keys.values()], await this.#configureNetwork(config));
  }

  /** One address is enough for a guest that only answers SSH: the first static one, else a leased one. */
  #configureNetwork({ interfaces }: GuestConfig): Promise<HeldAddress> {
    const { addressHint, sshPort } = this.#spec;
    const { addresses } = this.#surroundings;
    const staticAddress = interfaces.flatMap((one) => (one === undefined ? [] : staticIpv4(one)))[0];
    return staticAddress === undefined ? addresses.lease(addressHint, sshPort) : addresses.take(staticAddress, sshPort);
  }

  #answer(config: GuestConfig, hostKeys: readonly string[], held: HeldAddress): BootedGuest {
    const { hostname, files, authorizedKeys, commands } = config;
    this.#held = held;
    for (const command of commands) this.log(`cloud-init: not run by an in-process guest: ${JSON.stringify(command)}`);
    this.#service = new SshService({
      server: held.server,
      hostKeys,
      authorizedKeys,
      shell: { hostname, files, bootedAt: new Date() },
      faultOf: () => this.#spec.onSshConnection?.(),
      onConnect: this.#surroundings.onSshConnect,
      log: (line) => this.log(line),
    });
    this.log(`${hostname} answers SSH on ${held.address}:${held.port}`);
    this.#spec.onNetworks?.({ '0/ip': held.address, '0/ipv4/0': held.address });
    return { address: held.address, hostname, sshPort: held.port };
  }
}
