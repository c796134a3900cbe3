import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Documented } from './documented.ts';
import { TOKEN } from './rig.ts';

const documented = new Documented();

/** What a test looks at in an answer; absent members are undefined. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: AnswerBody;
}

interface AnswerBody {
  readonly run: { readonly id: string; readonly state: string; readonly [member: string]: unknown };
  readonly runs: readonly { readonly id: string }[];
  readonly nextCursor?: string;
  readonly code?: string;
  readonly detail?: string;
  readonly runId?: string;
  readonly errors?: readonly { readonly pointer?: string; readonly parameter?: string; readonly message: string }[];
  readonly [member: string]: unknown;
}

interface Sent {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string | undefined>;
}

/**
 * Sends JSON with the operator's token; a header given as undefined is left out, a string body is sent as it is.
 * Every answer is judged by the OpenAPI document.
 */
export async function send(url: string, { method = 'GET', body, headers = {} }: Sent = {}): Promise<Answer> {
  const all: Record<string, string | undefined> = {
    authorization: `Bearer ${TOKEN}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...headers,
  };
  const response = await fetch(url, {
    method,
    headers: Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
    body: typeof body === 'string' || body === undefined ? body : JSON.stringify(body),
  });
  const text = await response.text();
  const answer = (text === '' ? {} : JSON.parse(text)) as AnswerBody;
  const { status } = response;
  documented.check(method, new URL(url).pathname, status, response.headers.get('content-type'), answer);
  return { status, headers: response.headers, body: answer };
}

export function deployInput(name: string) {
  return { pool: 'ams1', name, template: 'debian-12', networks: ['tenant'] };
}

export function postRun(api: string, operation: string, input: unknown, key: string = randomUUID()): Promise<Answer> {
  return send(`${api}/v1/runs`, { method: 'POST', body: { operation, input }, headers: { 'idempotency-key': key } });
}

/** Polls a run until it is as wanted. */
export async function runWhen(api: string, id: string, wanted: (run: Answer['body']['run']) => boolean) {
  for (;;) {
    const { body } = await send(`${api}/v1/runs/${id}`);
    if (wanted(body.run)) return body.run;
    await delay(50);
  }
}
