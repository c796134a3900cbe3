import { setTimeout as sleep } from 'node:timers/promises';
import type { GuestSpec, Guests, RunningGuest } from '../world/guests.ts';

/** Of 198.18.0.0/15, which is set aside for tests of networks: nobody answers there. */
const firstAddress = (198 << 24) | (18 << 16);
const addressCount = 2 ** 17;

/** Guests for worlds of many thousands of VMs: each reports an address, none of them has a process, a port or a key. */
export class SilentGuests implements Guests {
  readonly areBoundToPool = false;
  #next = 1;

  boot(spec: GuestSpec): RunningGuest {
    const powerOff = new AbortController();
    const address = spec.addressHint ?? this.#nextAddress();
    const booted = sleep(spec.bootDelayMs, undefined, { signal: powerOff.signal }).then(
      () => (spec.neverBoots ? never() : { address, hostname: spec.name }),
      never,
    );
    const stop = () => {
      powerOff.abort();
      return Promise.resolve();
    };
    return { booted, stop, shutDown: stop };
  }

  /** Nothing is kept for a VM. */
  forget(): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }

  #nextAddress(): string {
    const number = firstAddress + (this.#next++ % addressCount);
    return [24, 16, 8, 0].map((bits) => (number >>> bits) & 0xff).join('.');
  }
}

const never = (): Promise<never> => new Promise(() => undefined);
