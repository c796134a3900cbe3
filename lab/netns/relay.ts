import type { Socket } from 'node:net';
import type { HeldAddress } from '../guests/addresses.ts';
import { inNamespace, start } from './commands.ts';

/**
 * Carries connections from the lab's side of a guest's address into the guest: the address is a loopback address of the
 * machine and an address of the guest's interface at the same time, and no packet can pass between the two.
 */
export class Relay {
  readonly #held: HeldAddress;
  readonly #namespace: string;
  readonly #sockets = new Set<Socket>();

  constructor(held: HeldAddress, namespace: string, onConnect: (socket: Socket) => void) {
    this.#held = held;
    this.#namespace = namespace;
    held.server.on('connection', (socket) => {
      onConnect(socket);
      if (!socket.destroyed) this.#carry(socket);
    });
  }

  get address(): string {
    return this.#held.address;
  }

  /** Every connection ends at once. Resolves when the port is free again. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#held.server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #carry(socket: Socket): void {
    const { address, port } = this.#held;
    const carrier = start(inNamespace(this.#namespace, ['busybox', 'nc', address, String(port)]), [
      'pipe',
      'pipe',
      'ignore',
    ]);
    this.#sockets.add(socket);
    carrier.stdin?.on('error', () => socket.destroy());
    if (carrier.stdin !== null) socket.pipe(carrier.stdin);
    carrier.stdout?.pipe(socket);
    carrier.on('error', () => socket.destroy());
    // The far end has closed, or nobody listens there.
    carrier.on('close', () => socket.destroySoon());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#sockets.delete(socket);
      carrier.kill('SIGKILL');
    });
  }
}
