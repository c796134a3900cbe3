import { setTimeout as sleep } from 'node:timers/promises';
import { GuestBootError } from './boot-errors.ts';

const consoleLinesKept = 500;

interface Power {
  readonly name: string;
  readonly bootDelayMs: number;
  readonly neverBoots?: boolean;
}

/** From power on to power off, whatever it is that plays the guest. */
export abstract class BootingGuest<Booted> {
  /** The last lines of the console, the newest last. */
  readonly consoleLog: string[] = [];
  /** Settles when the guest answers: never, when it cannot come up; the reason is on its console. Rejects when the lab itself fails. */
  readonly booted: Promise<Booted>;
  /** Settles when booting has come to its end, whatever the end was. */
  protected readonly bootEnded: Promise<unknown>;
  readonly #power: Power;
  readonly #powerOff = new AbortController();
  #stopped: Promise<void> | undefined;

  constructor(power: Power) {
    this.#power = power;
    const booting = this.#boot();
    this.bootEnded = Promise.allSettled([booting]);
    this.booted = new Promise((resolve, reject) => {
      booting.then((booted) => booted && resolve(booted), reject);
    });
  }

  /** Like a power cut; a second call changes nothing. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Called in a later turn than the constructor, unless the power went off meanwhile. Throws GuestBootError. */
  protected abstract comeUp(): Promise<Booted>;

  /** Called once, when booting has come to its end. */
  protected abstract goDown(): Promise<void>;

  protected get isPoweredOff(): boolean {
    return this.#powerOff.signal.aborted;
  }

  protected log(line: string): void {
    this.consoleLog.push(line);
    if (this.consoleLog.length > consoleLinesKept) this.consoleLog.shift();
  }

  async #stop(): Promise<void> {
    this.#powerOff.abort();
    await this.bootEnded;
    await this.goDown();
  }

  /** Undefined: the guest will never answer, and its console says why. */
  async #boot(): Promise<Booted | undefined> {
    try {
      await this.#bootDelay();
      if (this.isPoweredOff || this.#power.neverBoots) return undefined;
      return await this.comeUp();
    } catch (error) {
      if (!(error instanceof GuestBootError)) throw error;
      this.log(`boot failed: ${error.message}`);
      return undefined;
    }
  }

  async #bootDelay(): Promise<void> {
    const { name, bootDelayMs, neverBoots } = this.#power;
    this.log(neverBoots ? 'kernel panic: planned by the lab' : `${name}: booting`);
    await sleep(bootDelayMs, undefined, { signal: this.#powerOff.signal }).catch((error: unknown) => {
      if (!this.isPoweredOff) throw error;
    });
  }
}
