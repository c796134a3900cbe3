import { Client } from 'undici';

export interface Request {
  readonly method: string;
  readonly params: readonly unknown[];
}

export const bodyOf = ({ method, params }: Request): string =>
  JSON.stringify({ jsonrpc: '2.0', method, params, id: 1 });

/** One keep-alive connection that carries one request at a time. */
export class Connection {
  readonly #client: Client;

  constructor(origin: string) {
    this.#client = new Client(origin, { headersTimeout: 0, bodyTimeout: 0 });
  }

  /** The answer's text. Rejects when it is no 200. */
  async post(body: string): Promise<string> {
    const headers = { 'content-type': 'application/json' };
    const answer = await this.#client.request({ method: 'POST', path: '/jsonrpc', body, headers });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`the server answered ${answer.statusCode}: ${text}`);
    return text;
  }

  /** Rejects when the pool refuses. */
  async call<T>(method: string, ...params: readonly unknown[]): Promise<T> {
    const { result, error } = JSON.parse(await this.post(bodyOf({ method, params }))) as {
      result: T;
      error?: { message: string; data: unknown };
    };
    if (error !== undefined) throw new Error(`${method} was refused: ${error.message} ${JSON.stringify(error.data)}`);
    return result;
  }

  async close(): Promise<void> {
    await this.#client.destroy();
  }
}

export interface Pool {
  readonly id: string;
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

export async function login(pool: Pool): Promise<{ connection: Connection; session: string }> {
  const connection = new Connection(pool.url);
  const session = await connection.call<string>('session.login_with_password', pool.user, pool.password);
  return { connection, session };
}
