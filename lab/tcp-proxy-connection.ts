import type { Socket } from 'node:net';
import { Transform, type TransformCallback } from 'node:stream';
import type { RequestFault } from './tcp-proxy-faults.ts';

/**
 * - `open`: bytes are passed on
 * - `cut-at-reply`: the next bytes from the server end the connection
 * - `black-hole`: nothing is passed on any more
 */
type State = 'open' | 'cut-at-reply' | 'black-hole';

/** One client's connection through the proxy to the server. */
export class ProxiedConnection {
  /** Resolves when both sockets are closed. */
  readonly ended: Promise<unknown>;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #faultFor: (chunk: Buffer) => RequestFault | undefined;
  readonly #timers = new Set<NodeJS.Timeout>();
  #state: State = 'open';

  constructor(client: Socket, server: Socket, faultFor: (chunk: Buffer) => RequestFault | undefined) {
    this.#client = client;
    this.#server = server;
    this.#faultFor = faultFor;
    this.ended = Promise.all([closeOf(client), closeOf(server)]);
    this.#join(client, server, (chunk, done) => this.#onRequest(chunk, done));
    this.#join(server, client, (chunk, done) => this.#onReply(chunk, done));
  }

  /** Resets both sides. */
  cut(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    reset(this.#client);
    reset(this.#server);
  }

  /** Passes bytes and the end of the stream from one side to the other; a side that breaks breaks the other, except in a black hole. */
  #join(from: Socket, to: Socket, onChunk: (chunk: Buffer, done: TransformCallback) => void): void {
    const gate = new Transform({
      transform: (chunk: Buffer, _encoding, done) => onChunk(chunk, done),
      flush: (done) => {
        if (this.#state !== 'black-hole') done();
      },
    });
    from.pipe(gate).pipe(to);
    // The reset that follows is how the other side learns of it.
    from.on('error', () => from.destroy());
    from.on('close', () => {
      if (this.#state !== 'black-hole' && !from.readableEnded) this.cut();
    });
  }

  #onRequest(chunk: Buffer, done: TransformCallback): void {
    const fault = this.#state === 'black-hole' ? undefined : this.#faultFor(chunk);
    if (fault?.kind === 'cut-before') {
      this.cut();
      return;
    }
    if (fault?.kind === 'delay') {
      this.#later(fault.delayMs, () => done(null, chunk));
      return;
    }
    if (fault?.kind === 'cut-after-request') this.#state = 'cut-at-reply';
    if (fault?.kind === 'half-open') this.#state = 'black-hole';
    if (this.#state === 'black-hole') done();
    else done(null, chunk);
  }

  #onReply(chunk: Buffer, done: TransformCallback): void {
    if (this.#state === 'cut-at-reply') this.cut();
    else if (this.#state === 'black-hole') done();
    else done(null, chunk);
  }

  #later(delayMs: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, delayMs);
    this.#timers.add(timer);
  }
}

/** libuv refuses to reset a socket that is being shut down, and Node then never tells that it has closed. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** Resolves when the socket is closed, be it by an error. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}
