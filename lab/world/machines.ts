/** A host's port: opened and closed as its toolstack starts and stops. */
export interface Listener {
  /** Rejects when the address is taken. */
  open(): Promise<void>;
  /** Cuts every connection. */
  close(): Promise<void>;
  /** From now on the host's new certificate is shown. */
  renew(): void;
}

export type Power = 'on' | 'rebooting' | 'restarting' | 'off';

/** Down: the port is closed. Emergency: it runs and cannot reach its coordinator. */
export type Toolstack = 'up' | 'emergency' | 'down';

/** What of a host is no field of its record and outlives the lab's process. */
export interface KeptMachine {
  readonly power: Power;
  /** False after host.disable with auto_enable=false: no restart enables the host, only host.enable does. */
  readonly autoEnable: boolean;
}

/** The machine below a host's record: power, toolstack, port. */
export class Machine implements KeptMachine {
  power: Power = 'on';
  toolstack: Toolstack = 'up';
  /** Until then it may not be enabled. */
  startupComplete = true;
  autoEnable = true;
  /** From host.reboot or host.shutdown to the boot that follows. */
  disabledUntilReboot = false;
  /** Where it looks for its coordinator if it was told otherwise by pool.emergency_reset_master. */
  coordinatorAddress: string | undefined;
  /** In emergency mode: what it answers to every call, if that is not the usual error. */
  emergencyError: readonly string[] | undefined;
  /** Taken out of high availability by host.emergency_ha_disable. */
  disarmed: 'until reboot' | 'for good' | undefined;
  listener: Listener | undefined;
  private transition = new AbortController();
  private readonly closing: AbortSignal;

  constructor(closing: AbortSignal) {
    this.closing = closing;
  }

  /** Ends whatever the machine was in the middle of. The signal aborts when the next such moment comes, or the lab closes. */
  begin(): AbortSignal {
    this.transition.abort();
    this.transition = new AbortController();
    return AbortSignal.any([this.transition.signal, this.closing]);
  }
}

/** The machines of a pool, by the host's reference. */
export class Machines {
  private readonly machines = new Map<string, Machine>();
  private readonly closing: AbortSignal;
  private readonly running = new Set<Promise<void>>();
  private readonly waiting: (() => void)[] = [];
  private readonly keep: (host: string, machine: Machine) => void;
  private readonly onFault: (error: unknown) => void;

  /** `keep` is told of what has to outlive the process, `onFault` of a transition that failed. */
  constructor(closing: AbortSignal, keep: (host: string, machine: Machine) => void, onFault: (error: unknown) => void) {
    this.closing = closing;
    this.keep = keep;
    this.onFault = onFault;
    closing.addEventListener('abort', () => this.wake());
  }

  of(host: string): Machine {
    const machine = this.machines.get(host) ?? new Machine(this.closing);
    this.machines.set(host, machine);
    return machine;
  }

  set(host: string, change: Partial<KeptMachine>): void {
    const machine = this.of(host);
    Object.assign(machine, change);
    this.keep(host, machine);
  }

  /** The machine leaves the pool. */
  release(host: string): Machine {
    const machine = this.of(host);
    this.machines.delete(host);
    return machine;
  }

  /** A machine that another pool has released, for a host of this one. */
  adopt(host: string, machine: Machine): void {
    this.machines.set(host, machine);
    this.keep(host, machine);
  }

  all(): [string, Machine][] {
    return [...this.machines];
  }

  setToolstack(host: string, toolstack: Toolstack): void {
    this.of(host).toolstack = toolstack;
    this.wake();
  }

  /** Resolves when some host's toolstack has changed its state, or the lab closes. */
  async nextChange(): Promise<void> {
    await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  /** Lets a change of a host's state go its way; an abort is its regular end. */
  run(transition: () => Promise<void>): void {
    const promise = transition().catch((error: unknown) => {
      if ((error as { name?: unknown }).name !== 'AbortError') this.onFault(error);
    });
    this.running.add(promise);
    void promise.then(() => this.running.delete(promise));
  }

  /** Resolves when no host is on its way from one state to another. */
  async settled(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }

  private wake(): void {
    for (const wake of this.waiting.splice(0)) wake();
  }
}
