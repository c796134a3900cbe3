import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiClient } from '../../cli/api-client.ts';
import { isEnded } from '../../domain/run.ts';

export interface EndedRun {
  readonly id: string;
  /** Of the VM; undefined when the run failed, then `trouble` says how. */
  readonly vmUuid?: string;
  readonly trouble?: string;
}

/** One look at all open runs instead of one at each: who waits should not be what is measured. */
const LOOK_EVERY_MS = 50;
const OPEN_RUNS = { state: 'accepted,waiting,running,paused,undoing', limit: 200 };

/** Deploys over the API, so many at once, and keeps the time that each request took (ms). */
export class ApiLoad {
  readonly startMs: number[] = [];
  readonly readMs: number[] = [];
  readonly #api: ApiClient;
  readonly #signal: AbortSignal;

  constructor(url: string, token: string, signal: AbortSignal) {
    this.#api = new ApiClient({ interrupted: signal }, () => ({ url, token }));
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
    const { id } = await timed(this.startMs, () => this.#api.start('deploy-vm', input, randomUUID()));
    return new Promise((resolve) => open.set(id, resolve));
  }

  /** Tells whoever waits for a run that it has ended. */
  async #watch(open: Map<string, (run: EndedRun) => void>, over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      const asked = [...open.keys()];
      const { runs } = await timed(this.readMs, () => this.#api.list(OPEN_RUNS));
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
    const { state, result, failure } = await timed(this.readMs, () => this.#api.show(id));
    if (state === 'succeeded') return { id, vmUuid: (result as { uuid: string }).uuid };
    const how = isEnded(state) ? 'ended as' : 'is';
    return { id, trouble: `run ${id} ${how} ${state}: ${failure?.message ?? 'no failure told'}` };
  }
}

/** The whole of a request, to the last byte of its answer; one that fails leaves no sample. */
async function timed<T>(samples: number[], ask: () => Promise<T>): Promise<T> {
  const startedMs = performance.now();
  const answer = await ask();
  samples.push(performance.now() - startedMs);
  return answer;
}
