import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient, RunDetail } from '../../cli/api-client.ts';
import { isEnded } from '../../domain/run.ts';

const POLL_MS = 200;

/** Tells what runs do, step by step. */
export class RunStory {
  readonly #api: ApiClient;
  readonly #tell: (line: string) => void;
  /** What was told of each run, so that following it again goes on where it was. */
  readonly #told = new Set<string>();

  constructor(api: ApiClient, tell: (line: string) => void) {
    this.#api = api;
    this.#tell = tell;
  }

  /** Follows a run until it is as wanted, telling every change; an end that was not wanted is an error. */
  async follow(id: string, until: (run: RunDetail) => boolean): Promise<RunDetail> {
    for (;;) {
      const run = await this.#api.show(id);
      for (const { name, undo, state, attempts } of run.steps) {
        const line = `    ${name}${undo ? ' undo' : ''} ${state}${attempts > 1 ? ` (attempt ${attempts})` : ''}`;
        if (!this.#told.has(id + line)) this.#tell(line);
        this.#told.add(id + line);
      }
      if (until(run)) return run;
      if (isEnded(run.state))
        throw new Error(`run ${id} ended as ${run.state}: ${run.failure?.message ?? 'no failure'}`);
      await sleep(POLL_MS);
    }
  }
}
