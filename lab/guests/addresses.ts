import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { GuestBootError } from './boot-errors.ts';

/** 127.1.0.1 to 127.1.255.254, without .0 and .255 at the end. */
const addressCount = 256 * 254;
/** The port of guests that may have any: one for all, so that two labs can tell a taken address by it. */
const anyPort = 2222;

/** A guest's address, held by the listening server: nobody else on this machine has the same address and port. */
export interface HeldAddress {
  readonly address: string;
  readonly port: number;
  readonly server: Server;
}

/**
 * Gives guests loopback addresses of their own. Whether one is free is decided by listening on it, so that several labs on a machine
 * need not know of each other; each starts looking at another place.
 */
export class AddressBook {
  #next = randomInt(addressCount);

  /** An address for a guest that asks by DHCP: the wanted one if it is free, else the next free one. Throws Error when none is left. */
  async lease(wanted: string | undefined, port: number): Promise<HeldAddress> {
    const held = wanted === undefined ? undefined : await listen(wanted, port || anyPort);
    if (held) return held;
    for (let tried = 0; tried < addressCount; tried += 1) {
      const free = await listen(this.#nextAddress(), port || anyPort);
      if (free) return free;
    }
    throw new Error(
      `No loopback address 127.1.x.y with a free port ${port || anyPort} is left: all ${addressCount} are in use`,
    );
  }

  /** The address that the guest was told to have. Throws GuestBootError when it is in use or not on this machine. */
  async take(address: string, port: number): Promise<HeldAddress> {
    const held = await listen(address, port || anyPort);
    if (held) return held;
    throw new GuestBootError(
      `the static address ${address} cannot be had: it is in use, or not a loopback address (the lab's guests live on 127.0.0.0/8)`,
    );
  }

  #nextAddress(): string {
    const index = this.#next;
    this.#next = (this.#next + 1) % addressCount;
    return `127.1.${Math.floor(index / 254)}.${(index % 254) + 1}`;
  }
}

/** Undefined when the address is taken or is not this machine's; everything else (no right to the port, no descriptors left) throws. */
async function listen(address: string, port: number): Promise<HeldAddress | undefined> {
  if (!address.startsWith('127.')) return undefined;
  const server = createServer();
  try {
    server.listen({ host: address, port, exclusive: true });
    await once(server, 'listening');
    return { address, port, server };
  } catch (error) {
    if (hasCode(error, 'EADDRINUSE') || hasCode(error, 'EADDRNOTAVAIL')) return undefined;
    throw error;
  }
}

/** Not by `instanceof Error`: an error of Node itself is of another realm when the lab runs inside a VM context. */
function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
