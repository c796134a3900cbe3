import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { Engine } from '../adapters/temporal/engine.ts';
import type { EventFeed } from '../adapters/postgres/event-feed.ts';
import type { RunStore } from '../adapters/postgres/run-store.ts';
import type { TokenStore } from '../adapters/postgres/token-store.ts';
import type { Wakes } from '../adapters/postgres/wakes.ts';
import type { Role } from '../domain/permissions.ts';
import type { Timing } from '../domain/run.ts';
import type { StreamLimits } from './event-stream.ts';
import type { StreamGate } from './stream-gate.ts';

/** Who sent a request; the name is what runs and audit show, the role is what the token may do. */
export interface Caller {
  readonly name: string;
  readonly role: Role;
}

export interface ServedRequest {
  readonly method: string;
  /** The path with its parameters named: `/v1/runs/:id`; `none` when there is nothing. */
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
}

export interface ApiDeps {
  readonly store: RunStore;
  readonly engine: Engine;
  /** Wakes who waits for events; closed when the API stops. */
  readonly wakes: Wakes;
  readonly feed: EventFeed;
  readonly tokens: TokenStore;
  readonly streams: { readonly gate: StreamGate; readonly limits: StreamLimits };
  /** Requests per minute and token. */
  readonly ratePerMinute: number;
  /** Told of every request when its answer has ended, but not of streams and long polls. */
  onRequest(this: void, request: ServedRequest): void;
  readonly logger: Logger;
  /** Durations that runs started here work with. */
  readonly timing: Timing;
}

/** What middleware learns about a request. All but `requestId` is set on every route behind authentication. */
type Locals = {
  requestId: string;
  caller: Caller;
  /** Whether the token of the request has been neither revoked nor has expired meanwhile. */
  isStillValid: () => Promise<boolean>;
};

export type Handler = RequestHandler<Record<string, string>, unknown, unknown, unknown, Locals>;
export type FailureHandler = ErrorRequestHandler<Record<string, string>, unknown, unknown, unknown, Locals>;
