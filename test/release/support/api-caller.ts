import { setTimeout as sleep } from 'node:timers/promises';

export interface RunAnswer {
  readonly id: string;
  readonly state: string;
  readonly failure?: { readonly message: string };
}

const PAUSE_MS = 200;
const REQUEST_LIMIT_MS = 15_000;
/** Not a timing that is asserted: the end of all patience. */
const PATIENCE_MS = 300_000;
const ENDED = ['succeeded', 'succeeded-with-skips', 'failed', 'cancelled', 'needs-operator'];

/** An operator's program: it repeats a request with the same key until an API process answers, whichever that is. */
export class ApiCaller {
  readonly #urls: readonly string[];
  readonly #token: string;
  #calls = 0;

  constructor(urls: readonly string[], token: string) {
    this.#urls = urls;
    this.#token = token;
  }

  start(operation: string, input: Record<string, unknown>, key: string): Promise<RunAnswer> {
    return this.#persist('POST', '/v1/runs', { operation, input }, key);
  }

  get(id: string): Promise<RunAnswer> {
    return this.#persist('GET', `/v1/runs/${id}`);
  }

  async ended(id: string): Promise<RunAnswer> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const run = await this.get(id);
      if (ENDED.includes(run.state)) return run;
      if (Date.now() > deadline) throw new Error(`run ${id} does not end; last seen: ${JSON.stringify(run)}`);
      await sleep(PAUSE_MS);
    }
  }

  async #persist(method: string, path: string, body?: unknown, key?: string): Promise<RunAnswer> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const answer = await this.#ask(method, path, body, key);
      if (typeof answer !== 'string') return answer;
      if (Date.now() > deadline) throw new Error(`${method} ${path} in vain; last answer: ${answer}`);
      await sleep(PAUSE_MS);
    }
  }

  /** The run; or words about an answer that says "later" or never came. Any other answer is an error. */
  async #ask(method: string, path: string, body?: unknown, key?: string): Promise<RunAnswer | string> {
    const base = this.#urls[this.#calls++ % this.#urls.length] ?? '';
    const headers: Record<string, string> = { authorization: `Bearer ${this.#token}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (key !== undefined) headers['idempotency-key'] = key;
    const signal = AbortSignal.timeout(REQUEST_LIMIT_MS);
    let text: string;
    let status: number;
    try {
      const response = await fetch(base + path, { method, headers, signal, body: JSON.stringify(body) });
      status = response.status;
      text = await response.text();
    } catch (error) {
      return String(error); // the process that was asked is down or died: the other one, or the same later
    }
    if (status === 503 || status === 429) return `${status} ${text}`;
    if (status >= 300) throw new Error(`${method} ${path} answered ${status}: ${text}`);
    return (JSON.parse(text) as { run: RunAnswer }).run;
  }
}
