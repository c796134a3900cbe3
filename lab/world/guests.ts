import type { SshFault } from '../fault-spec.ts';

/** What the lab asks of whatever plays the guests; bytes and milliseconds. */
export interface GuestSpec {
  readonly vmUuid: string;
  readonly name: string;
  /** Content of the config drive's disk, if something was uploaded to one. */
  readonly drive: Buffer | undefined;
  readonly macs: readonly string[];
  /** The address that the guest had before, if it ran before. */
  readonly addressHint?: string;
  readonly bootDelayMs: number;
  readonly sshPort: number;
  readonly neverBoots?: boolean;
  /** Asked at each SSH connection for what is planned to go wrong with it. */
  readonly onSshConnection?: () => SshFault | undefined;
}

export interface RunningGuest {
  /** Settles when the guest answers; never when it cannot come up. */
  readonly booted: Promise<{ readonly address: string; readonly hostname: string }>;
  stop(): Promise<void>;
}

export interface Guests {
  boot(spec: GuestSpec): RunningGuest;
  close(): Promise<void>;
}
