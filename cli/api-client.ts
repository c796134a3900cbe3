import type { Failure } from '../domain/errors.ts';
import type { RunState } from '../domain/run.ts';
import type { Io, ProblemDocument } from './io.ts';
import { CliFailure, EXIT } from './io.ts';
import { exitCodeOfProblem, problemText } from './problem-text.ts';

/** A run as the API lists it; times are ISO 8601. */
export interface Run {
  readonly id: string;
  readonly operation: string;
  readonly summary: string;
  readonly state: RunState;
  readonly requestedBy: string;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly currentStep?: string;
  readonly failure?: Failure;
}

export interface Step {
  readonly name: string;
  readonly undo: boolean;
  readonly state: 'running' | 'retrying' | 'done' | 'failed';
  readonly attempts: number;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly lastFailure?: Failure;
}

/** A run as the API shows it alone. */
export interface RunDetail extends Run {
  readonly steps: readonly Step[];
  readonly result?: unknown;
  readonly skips: readonly { readonly step: string; readonly reason: string }[];
  readonly ledger: readonly LedgerEntry[];
  readonly links: { readonly temporalUi?: string };
}

export interface LedgerEntry {
  readonly kind: string;
  readonly id: string;
  readonly name: string;
  readonly duty: 'remove' | 'restore';
  readonly step: string;
  readonly state: 'owed' | 'settled' | 'abandoned';
  readonly reason?: string;
}

const ANSWER_TIMEOUT_MS = 30_000;

/** The API over HTTP. Every method throws CliFailure with the server's own words, or says that there is no server. */
export class ApiClient {
  readonly #io: Io;

  constructor(io: Io) {
    this.#io = io;
  }

  async start(operation: string, input: unknown, key: string): Promise<Run> {
    const answer = await this.#send<{ run: Run }>('POST', '/v1/runs', { operation, input }, { 'Idempotency-Key': key });
    return answer.run;
  }

  async list(filter: Record<string, string>): Promise<{ runs: Run[]; nextCursor?: string }> {
    return this.#send('GET', `/v1/runs?${new URLSearchParams(filter).toString()}`);
  }

  async show(id: string): Promise<RunDetail> {
    return (await this.#send<{ run: RunDetail }>('GET', `/v1/runs/${encodeURIComponent(id)}`)).run;
  }

  async act(id: string, verb: 'cancel' | 'retry' | 'skip', body: unknown): Promise<{ run: Run; will: string }> {
    return this.#send('POST', `/v1/runs/${encodeURIComponent(id)}/${verb}`, body);
  }

  async #send<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
    const { status, text } = await this.#exchange(method, path, body, headers);
    const document = parsed(text);
    if (status < 400 && document !== undefined) return document as T;
    if (isProblem(document)) throw new CliFailure(problemText(document), exitCodeOfProblem(document), document);
    const what = `${this.#io.serverUrl} answered with status ${status}, but not as Switchboard's API does.`;
    throw new CliFailure(`${what} Check SWITCHBOARD_URL.`, EXIT.unreachable);
  }

  async #exchange(method: string, path: string, body: unknown, headers: Record<string, string>) {
    const { serverUrl, token, interrupted } = this.#io;
    const all: Record<string, string> = { ...headers, Accept: 'application/json' };
    if (token !== undefined) all['Authorization'] = `Bearer ${token}`;
    if (body !== undefined) all['Content-Type'] = 'application/json';
    try {
      const response = await fetch(new URL(path, serverUrl), {
        method,
        headers: all,
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.any([interrupted, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
      });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      if (interrupted.aborted)
        throw new CliFailure('Interrupted; the server may still do what it was asked.', EXIT.interrupted);
      throw new CliFailure(unreachableText(serverUrl, error), EXIT.unreachable);
    }
  }
}

function unreachableText(serverUrl: string, error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  return [
    `The server at ${serverUrl} cannot be reached (${code}).`,
    'Hint: runs that were accepted go on without it. Start it (npm start) or set SWITCHBOARD_URL, then try again.',
  ].join('\n');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // a proxy's page; the caller says what it got instead
  }
}

function isProblem(document: unknown): document is ProblemDocument {
  return typeof document === 'object' && document !== null && 'code' in document && 'hint' in document;
}
