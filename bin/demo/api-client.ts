import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isEnded } from '../../domain/run.ts';
import type { RunState } from '../../domain/run.ts';

export interface RunView {
  readonly id: string;
  readonly state: RunState;
  readonly summary: string;
  readonly steps: readonly {
    readonly name: string;
    readonly undo: boolean;
    readonly state: string;
    readonly attempts: number;
  }[];
  readonly links: { readonly temporalUi?: string };
  readonly result?: unknown;
  readonly failure?: { readonly message: string };
}

const POLL_MS = 200;

/** The API as an operator's program uses it. */
export class ApiClient {
  readonly #url: string;
  readonly #token: string;
  /** What was told of each run, so that following it again goes on where it was. */
  readonly #told = new Set<string>();

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  async start(operation: string, input: Record<string, unknown>): Promise<RunView> {
    return (await this.#ask<{ run: RunView }>('POST', '/v1/runs', { operation, input })).run;
  }

  async get(id: string): Promise<RunView> {
    return (await this.#ask<{ run: RunView }>('GET', `/v1/runs/${id}`)).run;
  }

  /** Follows a run until it is as wanted, telling every change; an end that was not wanted is an error. */
  async follow(id: string, tell: (line: string) => void, until: (run: RunView) => boolean): Promise<RunView> {
    for (;;) {
      const run = await this.get(id);
      for (const { name, undo, state, attempts } of run.steps) {
        const line = `    ${name}${undo ? ' undo' : ''} ${state}${attempts > 1 ? ` (attempt ${attempts})` : ''}`;
        if (!this.#told.has(id + line)) tell(line);
        this.#told.add(id + line);
      }
      if (until(run)) return run;
      if (isEnded(run.state))
        throw new Error(`run ${id} ended as ${run.state}: ${run.failure?.message ?? 'no failure'}`);
      await sleep(POLL_MS);
    }
  }

  async #ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        'content-type': 'application/json',
        'idempotency-key': randomUUID(),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${JSON.stringify(answer)}`);
    return answer as T;
  }
}
