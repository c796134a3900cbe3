import { login } from './rpc.ts';
import type { Pool } from './rpc.ts';

interface Batch {
  readonly token: string;
  readonly events: readonly { readonly snapshot?: { readonly name_description?: string } }[];
}

const LONGEST_WAIT_SECONDS = 30.5;

/** Somebody who follows every event of the pool. */
class Watcher {
  readonly #ask: (token: string) => Promise<Batch>;
  #token: string;

  constructor(token: string, ask: (token: string) => Promise<Batch>) {
    this.#token = token;
    this.#ask = ask;
  }

  /** Resolves to the moment at which the object with this description was told of. */
  async sees(description: string): Promise<number> {
    for (;;) {
      const { token, events } = await this.#ask(this.#token);
      this.#token = token;
      if (events.some(({ snapshot }) => snapshot?.name_description === description)) return performance.now();
    }
  }
}

/**
 * Changes a VM so often; so many watchers wait for each change, every one with a session and a connection of its own. Answers
 * the time from the sending of the change to its arrival, per change and watcher.
 */
export async function measureEvents(pool: Pool, watcherCount: number, writes: number): Promise<number[]> {
  const writer = await login(pool);
  const followers = await Promise.all(Array.from({ length: watcherCount }, () => login(pool)));
  try {
    const [vm] = await writer.connection.call<string[]>('VM.get_all', writer.session);
    const { token } = await writer.connection.call<Batch>('event.from', writer.session, ['*'], '', 0.01);
    const watchers = followers.map(({ connection, session }) => {
      const ask = (from: string) => connection.call<Batch>('event.from', session, ['*'], from, LONGEST_WAIT_SECONDS);
      return new Watcher(token, ask);
    });
    const latenciesMs: number[] = [];
    for (let write = 1; write <= writes; write++) {
      const description = `change ${write}`;
      const seen = watchers.map((watcher) => watcher.sees(description));
      const sentMs = performance.now();
      await writer.connection.call('VM.set_name_description', writer.session, vm, description);
      latenciesMs.push(...(await Promise.all(seen)).map((seenMs) => seenMs - sentMs));
    }
    return latenciesMs;
  } finally {
    await Promise.all([writer, ...followers].map(({ connection }) => connection.close()));
  }
}
