import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { Engine } from '../adapters/temporal/engine.ts';
import type { RunStore } from '../adapters/postgres/run-store.ts';
import type { Timing } from '../domain/run.ts';

/** Who sent a request; the name is what runs and audit show. */
export interface Caller {
  readonly name: string;
}

export interface ApiDeps {
  readonly store: RunStore;
  readonly engine: Engine;
  /** Who a bearer token belongs to; undefined when it is nobody's. */
  authenticate(this: void, token: string): Caller | undefined;
  readonly logger: Logger;
  /** Durations that runs started here work with. */
  readonly timing: Timing;
}

/** What middleware learns about a request. `caller` is set on every route behind authentication. */
type Locals = { requestId: string; caller: Caller };

export type Handler = RequestHandler<Record<string, string>, unknown, unknown, unknown, Locals>;
export type FailureHandler = ErrorRequestHandler<Record<string, string>, unknown, unknown, unknown, Locals>;
