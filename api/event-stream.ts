import type { Response } from 'express';
import { OperationFailure } from '../domain/errors.ts';
import type { Latch, Wakes } from '../adapters/postgres/wakes.ts';

export interface StreamLimits {
  /** So often an idle stream carries a comment, and the token behind it is looked at again. */
  readonly pingMs: number;
  /** A client that takes nothing for so long is cut. */
  readonly stalledMs: number;
  /** Streams that one token, and all of them, may have open at this process. */
  readonly perCaller: number;
  readonly inAll: number;
}

export const STREAM_LIMITS: StreamLimits = { pingMs: 15_000, stalledMs: 20_000, perCaller: 20, inAll: 500 };

export interface StreamItem {
  /** Where the stream goes on after this one; what the client sends as Last-Event-ID. */
  readonly id: number;
  readonly event: string;
  readonly data: unknown;
  /** Nothing comes after it: the stream is ended. */
  readonly isLast: boolean;
}

export interface StreamSource {
  /** What comes after the cursor, in order; empty when nothing has come yet. */
  after(this: void, cursor: number): Promise<readonly StreamItem[]>;
  /** Whether the caller may still see it. */
  isAllowed(this: void): Promise<boolean>;
}

/** The client comes back after so long by itself. */
const CLIENT_RETRY_MS = 1_000;
const STORE_AWAY_PAUSE_MS = 500;

/**
 * Server-sent events out of PostgreSQL. Holds nothing but a cursor: what the client has taken is read after it, so that a
 * slow client costs one page of memory, and an API that died is followed by any other one.
 */
export class EventStream {
  readonly #response: Response;
  readonly #wakes: Wakes;
  readonly #latch: Latch;
  readonly #limits: StreamLimits;
  #open = true;
  #lastWriteMs = performance.now();

  constructor(response: Response, wakes: Wakes, latch: Latch, limits: StreamLimits) {
    this.#response = response;
    this.#wakes = wakes;
    this.#latch = latch;
    this.#limits = limits;
  }

  /** Returns when the client has gone, was cut, or the stream has come to its end. */
  async follow(source: StreamSource, from: number): Promise<void> {
    this.#response.on('close', () => ((this.#open = false), this.#latch.raise()));
    this.#response.set({ 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' }).flushHeaders();
    // The client knows where it stands before the first event, and misses none if it is cut before that.
    await this.#write(`retry: ${CLIENT_RETRY_MS}\nid: ${from}\nevent: begin\ndata: {"after":${from}}\n\n`);
    let cursor = from;
    while (this.#open && !this.#wakes.closed) {
      const items = await orNothing(() => source.after(cursor));
      for (const item of items ?? []) {
        await this.#write(`id: ${item.id}\nevent: ${item.event}\ndata: ${JSON.stringify(item.data)}\n\n`);
        cursor = item.id;
        if (item.isLast) return this.#end();
      }
      if (items?.length === 0) await this.#latch.next(this.#pingDueMs());
      if (items === undefined) await this.#latch.next(STORE_AWAY_PAUSE_MS);
      if (this.#pingDueMs() === 0) await this.#ping(source);
    }
    this.#end();
  }

  async #ping(source: StreamSource): Promise<void> {
    await this.#write(': ping\n\n');
    if ((await orNothing(() => source.isAllowed())) === false) this.#end();
  }

  #end(): void {
    this.#open = false;
    this.#response.end();
  }

  /** Waits until the client has taken what was written before; cuts it when that lasts too long. */
  async #write(text: string): Promise<void> {
    if (!this.#open) return;
    this.#lastWriteMs = performance.now();
    if (this.#response.write(text)) return;
    const isTaken = await drained(this.#response, this.#limits.stalledMs);
    if (isTaken) return;
    this.#open = false;
    this.#response.destroy();
  }

  #pingDueMs(): number {
    return Math.max(0, this.#lastWriteMs + this.#limits.pingMs - performance.now());
  }
}

/** A database that is away does not end a stream: it goes on when the database is back. */
async function orNothing<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof OperationFailure && error.code === 'STORE_UNAVAILABLE') return undefined;
    throw error;
  }
}

function drained(response: Response, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (isTaken: boolean) => () => {
      clearTimeout(timer);
      response.off('drain', onDrain).off('close', onClose);
      resolve(isTaken);
    };
    const onDrain = settle(true);
    const onClose = settle(false);
    const timer = setTimeout(onClose, limitMs);
    response.on('drain', onDrain).on('close', onClose);
  });
}
