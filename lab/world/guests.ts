import type { SshFault } from '../fault-spec.ts';

/** In a network's other_config: `true` where the lab gives no addresses, and reaches nobody. */
export const isolatedKey = 'lab:isolated';

/** A virtual interface, as the guest finds it. */
export interface GuestVif {
  /** `0`: the guest's eth0. */
  readonly device: string;
  readonly mac: string;
  /** The uuid. */
  readonly network: string;
  /** Nobody gives addresses in the network but its own tenant. */
  readonly isolated: boolean;
}

/** What the lab asks of whatever plays the guests; bytes and milliseconds. */
export interface GuestSpec {
  readonly vmUuid: string;
  readonly name: string;
  /** Content of the config drive's disk, if something was uploaded to one. */
  readonly drive: Buffer | undefined;
  readonly vifs: readonly GuestVif[];
  /** The address that the guest had before, if it ran before. */
  readonly addressHint?: string;
  readonly bootDelayMs: number;
  readonly sshPort: number;
  readonly neverBoots?: boolean;
  /** Asked at each SSH connection for what is planned to go wrong with it. */
  readonly onSshConnection?: () => SshFault | undefined;

  /** Told of the addresses when the guest has booted and when they have changed since, by the keys of guest metrics: `0/ip`. */
  readonly onNetworks?: (networks: Readonly<Record<string, string>>) => void;
}

export interface RunningGuest {
  /** Settles when the guest answers; never when it cannot come up. */
  readonly booted: Promise<{ readonly address: string | undefined; readonly hostname: string }>;
  /** Like a power cut. */
  stop(): Promise<void>;
  /** The guest stops its services, then it is switched off. */
  shutDown(): Promise<void>;
}

export interface Guests {
  /** Its networks are those of the pool in which it was switched on, for as long as it runs. */
  readonly areBoundToPool: boolean;
  boot(spec: GuestSpec): RunningGuest;
  /** The VM is gone for good, and what it kept on its disks. */
  forget(vmUuid: string): void;
  close(): Promise<void>;
}
