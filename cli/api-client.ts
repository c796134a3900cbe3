import createClient from 'openapi-fetch';
import type { components, operations, paths } from './api.generated.ts';
import type { Io, ProblemDocument } from './io.ts';
import { CliFailure, EXIT } from './io.ts';
import { exitCodeOfProblem, problemText } from './problem-text.ts';
import type { Server } from './server.ts';
import { whyUnanswered } from './words.ts';

type Schemas = components['schemas'];
export type Run = Schemas['Run'];
export type RunDetail = Schemas['RunDetail'];
export type RunEvent = Schemas['RunEvent'];
export type RunState = Schemas['RunState'];
export type Failure = Schemas['Failure'];
export type Step = Schemas['Step'];
export type LedgerEntry = Schemas['LedgerEntry'];
export type ListQuery = NonNullable<operations['listRuns']['parameters']['query']>;

const ANSWER_TIMEOUT_MS = 30_000;

type Client = ReturnType<typeof createClient<paths>>;

/** What openapi-fetch answers of any request. */
interface Answer<Data> {
  readonly data?: Data;
  readonly error?: unknown;
  readonly response: Response;
}

/** The API over HTTP. Every method throws CliFailure with the server's own words, or says that there is no server. */
export class ApiClient {
  readonly #server: () => Server;
  readonly #interrupted: AbortSignal;

  constructor(io: Pick<Io, 'interrupted'>, server: () => Server) {
    this.#interrupted = io.interrupted;
    this.#server = server;
  }

  /** What the input may be is judged by the server: it was made from flags and files, whose types are not known here. */
  async start(operation: string, input: unknown, key: string): Promise<Run> {
    const body = { operation, input } as Schemas['StartRequest'];
    const params = { header: { 'Idempotency-Key': key } };
    const signal = this.#patience();
    return (await this.#answer((client) => client.POST('/v1/runs', { params, body, signal }))).run;
  }

  async list(query: ListQuery) {
    const signal = this.#patience();
    return this.#answer((client) => client.GET('/v1/runs', { params: { query }, signal }));
  }

  async show(id: string): Promise<RunDetail> {
    const signal = this.#patience();
    return (await this.#answer((client) => client.GET('/v1/runs/{id}', { params: { path: { id } }, signal }))).run;
  }

  async cancel(id: string) {
    const signal = this.#patience();
    return this.#answer((client) => client.POST('/v1/runs/{id}/cancel', { params: { path: { id } }, signal }));
  }

  async retry(id: string) {
    const signal = this.#patience();
    return this.#answer((client) => client.POST('/v1/runs/{id}/retry', { params: { path: { id } }, signal }));
  }

  async skip(id: string, reason: string) {
    const params = { path: { id } };
    const signal = this.#patience();
    return this.#answer((client) => client.POST('/v1/runs/{id}/skip', { params, body: { reason }, signal }));
  }

  /** The events of a run after the one with this id, as server-sent events; the signal ends them. */
  async eventsOf(id: string, lastEventId: string | undefined, signal: AbortSignal) {
    const params = { path: { id }, header: after(lastEventId) };
    return this.#answer((client) => client.GET('/v1/runs/{id}/events', { params, signal, parseAs: 'stream' }));
  }

  /** The same of all runs. */
  async allEvents(lastEventId: string | undefined, signal: AbortSignal) {
    const params = { header: after(lastEventId) };
    return this.#answer((client) => client.GET('/v1/events', { params, signal, parseAs: 'stream' }));
  }

  #patience(): AbortSignal {
    return AbortSignal.any([this.#interrupted, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
  }

  async #answer<Data>(ask: (client: Client) => Promise<Answer<Data>>): Promise<NonNullable<Data>> {
    const { url, token } = this.#server();
    const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const { data, error, response } = await this.#reached(url, ask(createClient<paths>({ baseUrl: url, headers })));
    if (data !== undefined && data !== null) return data;
    if (isProblem(error)) throw new CliFailure(problemText(error), exitCodeOfProblem(error), error);
    throw notOurs(url, response.status);
  }

  async #reached<Data>(url: string, asked: Promise<Answer<Data>>): Promise<Answer<Data>> {
    try {
      return await asked;
    } catch (error) {
      if (this.#interrupted.aborted)
        throw new CliFailure('Interrupted; the server may still do what it was asked.', EXIT.interrupted);
      if ((error as Error).name === 'SyntaxError') throw notOurs(url, 200);
      throw new CliFailure(unreachableText(url, error), EXIT.unreachable);
    }
  }
}

function after(lastEventId: string | undefined) {
  return lastEventId === undefined ? {} : { 'Last-Event-ID': Number(lastEventId) };
}

/** A proxy's page, or another program's. */
function notOurs(url: string, status: number): CliFailure {
  const what = `${url} answered with status ${status}, but not as Switchboard's API does.`;
  return new CliFailure(`${what}\nNext: check SWITCHBOARD_URL, or switchboard profile list`, EXIT.unreachable);
}

function unreachableText(url: string, error: unknown): string {
  return [
    `The server at ${url} cannot be reached (${whyUnanswered(error)}).`,
    'Hint: runs that were accepted go on without it. Start it (npm start) or set SWITCHBOARD_URL, then try again.',
    'Next: switchboard profile list',
  ].join('\n');
}

function isProblem(document: unknown): document is ProblemDocument {
  return typeof document === 'object' && document !== null && 'code' in document && 'hint' in document;
}
