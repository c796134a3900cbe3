import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

const RECONNECT_MS = 500;
const CONNECT_TIMEOUT_MS = 3_000;
/** What the trigger on run_events notifies; the payload is the id of the run. */
const CHANNEL = 'run_events';

/** Remembers a wake-up that came while nobody waited, so that none falls between a look and the wait after it. */
export class Latch {
  #raised = false;
  #wake: (() => void) | undefined;

  raise(): void {
    this.#raised = true;
    this.#wake?.();
  }

  /** Returns at the next wake-up, at once when there was one since the last time, and at the latest after `maxMs`. */
  async next(maxMs: number): Promise<void> {
    if (!this.#raised) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, maxMs);
        this.#wake = () => (clearTimeout(timer), resolve());
      });
    }
    this.#wake = undefined;
    this.#raised = false;
  }
}

export interface WakesOptions {
  /** Told once as long as it lasts; whoever waits looks again by itself, only later. */
  report(this: void, trouble: unknown): void;
}

/**
 * One LISTEN connection per process wakes everybody who waits for events. A wake-up says "look again" and nothing more:
 * the table stays the truth, and after every reconnection everybody looks.
 */
export class Wakes {
  readonly #url: string;
  readonly #options: WakesOptions;
  readonly #latches = new Map<Latch, string | undefined>();
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(url: string, options: WakesOptions) {
    this.#url = url;
    this.#options = options;
  }

  /** True from `close` on: whoever waits has to come to an end. */
  get closed(): boolean {
    return this.#stopping.signal.aborted;
  }

  start(): void {
    this.#loop = this.#listenUntilClosed();
  }

  /** A latch that is raised by the events of a run, or of all runs. Give it back with `unwatch`. */
  watch(runId?: string): Latch {
    const latch = new Latch();
    this.#latches.set(latch, runId);
    return latch;
  }

  unwatch(latch: Latch): void {
    this.#latches.delete(latch);
  }

  /** Wakes everybody for the last time. */
  async close(): Promise<void> {
    this.#stopping.abort();
    this.#raise();
    await this.#loop;
  }

  #raise(runId?: string): void {
    for (const [latch, wanted] of this.#latches) {
      if (runId === undefined || wanted === undefined || wanted === runId) latch.raise();
    }
  }

  async #listenUntilClosed(): Promise<void> {
    let told = false;
    while (!this.closed) {
      try {
        await this.#listen(() => (told = false));
      } catch (error) {
        if (!told) this.#options.report(error);
        told = true;
      }
      await delay(RECONNECT_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
  }

  /** Returns when closed; throws when the connection cannot be had or is lost. */
  async #listen(onConnected: () => void): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#url,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
    });
    const { signal } = this.#stopping;
    const end = () => void client.end().catch(() => undefined);
    const lost = lossOf(client);
    signal.addEventListener('abort', end);
    try {
      await client.connect();
      client.on('notification', ({ payload }) => this.#raise(payload));
      await client.query(`listen ${CHANNEL}`);
      onConnected();
      this.#raise();
      const error = await lost;
      if (!this.closed) throw error;
    } finally {
      signal.removeEventListener('abort', end);
      end();
    }
  }
}

/** Why the connection ended, once it has; without listeners an error of it would end the process. */
function lossOf(client: pg.Client): Promise<Error> {
  return new Promise((resolve) => {
    client.on('error', resolve);
    client.on('end', () => resolve(new Error('The connection that listens for events has ended.')));
  });
}
