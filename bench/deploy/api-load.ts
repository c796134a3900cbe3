import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isEnded } from '../../domain/run.ts';
import type { RunState } from '../../domain/run.ts';

interface RunView {
  readonly id: string;
  readonly state: RunState;
  readonly result?: { readonly uuid: string };
  readonly failure?: { readonly message: string };
}

export interface EndedRun {
  readonly id: string;
  /** Of the VM; undefined when the run failed, then `trouble` says how. */
  readonly vmUuid?: string;
  readonly trouble?: string;
}

/** One look at all open runs instead of one at each: who waits should not be what is measured. */
const LOOK_EVERY_MS = 50;
const OPEN_STATES = 'accepted,waiting,running,paused,undoing';
const PAGE = 200;

/** Deploys over the API, so many at once, and keeps the time that each request took (ms). */
export class ApiLoad {
  readonly startMs: number[] = [];
  readonly readMs: number[] = [];
  readonly #url: string;
  readonly #token: string;
  readonly #signal: AbortSignal;

  constructor(url: string, token: string, signal: AbortSignal) {
    this.#url = url;
    this.#token = token;
    this.#signal = signal;
  }

  /** Answers when the last run has ended, one way or the other. */
  async deployAll(inputs: readonly Record<string, unknown>[], concurrency: number): Promise<EndedRun[]> {
    const waiting = inputs.values();
    const open = new Map<string, (run: EndedRun) => void>();
    const over = new AbortController();
    const ended: EndedRun[] = [];
    const lane = async () => {
      for (const input of waiting) ended.push(await this.#deploy(input, open));
    };
    const watching = this.#watch(open, over.signal);
    // A watcher that fails must end the lanes, which wait for it.
    const lanes = Promise.all(Array.from({ length: concurrency }, lane)).finally(() => over.abort());
    await Promise.all([lanes, watching]);
    return ended;
  }

  async #deploy(input: Record<string, unknown>, open: Map<string, (run: EndedRun) => void>): Promise<EndedRun> {
    const body = { operation: 'deploy-vm', input };
    const { run } = await this.#timed<{ run: RunView }>(this.startMs, 'POST', '/v1/runs', body);
    return new Promise((resolve) => open.set(run.id, resolve));
  }

  /** Tells whoever waits for a run that it has ended. */
  async #watch(open: Map<string, (run: EndedRun) => void>, over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      const asked = [...open.keys()];
      const path = `/v1/runs?state=${OPEN_STATES}&limit=${PAGE}`;
      const { runs } = await this.#timed<{ runs: RunView[] }>(this.readMs, 'GET', path);
      const atWork = new Set(runs.map(({ id }) => id));
      await Promise.all(
        asked
          .filter((id) => !atWork.has(id))
          .map(async (id) => {
            const answer = await this.#ended(id);
            open.get(id)?.(answer);
            open.delete(id);
          }),
      );
      await sleep(LOOK_EVERY_MS, undefined, { signal: this.#signal });
    }
  }

  async #ended(id: string): Promise<EndedRun> {
    const { run } = await this.#timed<{ run: RunView }>(this.readMs, 'GET', `/v1/runs/${id}`);
    if (run.state === 'succeeded') return { id, vmUuid: run.result?.uuid };
    const how = isEnded(run.state) ? 'ended as' : 'is';
    return { id, trouble: `run ${id} ${how} ${run.state}: ${run.failure?.message ?? 'no failure told'}` };
  }

  async #timed<T>(samples: number[], method: string, path: string, body?: unknown): Promise<T> {
    const startedMs = performance.now();
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        'content-type': 'application/json',
        'idempotency-key': randomUUID(),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: this.#signal,
    });
    const text = await response.text();
    samples.push(performance.now() - startedMs);
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}: ${text}`);
    return JSON.parse(text) as T;
  }
}
