import type { Lab } from '../../lab/lab.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export async function post(url: string, body: string, path = '/jsonrpc'): Promise<Answer> {
  const response = await fetch(`${url}${path}`, { method: 'POST', body });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** An answered failure: the code and its parameters. */
export class Refusal extends Error {
  readonly description: readonly string[];
  constructor(description: readonly string[]) {
    super(description.join(', '));
    this.description = description;
  }
}

interface Answer2 {
  readonly result: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data: readonly string[] };
}

/** A client that sends exactly what it is told, by JSON-RPC 2. */
export class RawClient {
  readonly url: string;
  readonly session: string;

  private constructor(url: string, session: string) {
    this.url = url;
    this.session = session;
  }

  static async login(lab: Pick<Lab, 'pools'>): Promise<RawClient> {
    const [pool] = lab.pools;
    if (pool === undefined) throw new Error('the lab has no pool');
    const session = await send(pool.url, 'session.login_with_password', [pool.user, pool.password]);
    return new RawClient(pool.url, String(session));
  }

  /** Rejects with a Refusal. */
  async call<T = string>(method: string, ...params: readonly unknown[]): Promise<T> {
    return (await send(this.url, method, [this.session, ...params])) as T;
  }

  /** Resolves to the failure's code and parameters; rejects when the call succeeds. */
  async refusal(method: string, ...params: readonly unknown[]): Promise<readonly string[]> {
    return refusalOf(this.call(method, ...params));
  }

  /** Waits for the task of an Async call and gives its final record. */
  async task(ref: string): Promise<TaskRecord> {
    let token = '';
    for (;;) {
      const task = await this.call<TaskRecord>('task.get_record', ref);
      if (!['pending', 'cancelling'].includes(task.status)) return task;
      const batch = await this.call<{ token: string }>('event.from', [`task/${ref}`], token, 5.01);
      token = batch.token;
    }
  }
}

export interface TaskRecord {
  readonly status: string;
  readonly result: string;
  readonly progress: number;
  readonly error_info: readonly string[];
  readonly allowed_operations: readonly string[];
}

async function refusalOf(promise: Promise<unknown>): Promise<readonly string[]> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Refusal) return error.description;
    throw error;
  }
  throw new Error('the call was expected to be refused, it succeeded');
}

async function send(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const { text } = await post(url, JSON.stringify({ jsonrpc: '2.0', method, params, id: 1 }));
  const { result, error } = JSON.parse(text) as Answer2;
  if (error !== undefined) throw new Refusal([error.message, ...error.data]);
  return result;
}
