import type { z } from 'zod';
import type { Permission } from '../domain/permissions.ts';
import type { ApiDeps, Handler } from './context.ts';
import type { ProblemCode } from './problem.ts';

/** What a status of an endpoint carries when the request was not refused. */
export interface EndpointAnswer {
  readonly description: string;
  /** Absent for an answer without a body. */
  readonly schema?: z.ZodType;
  /** `application/json` unless given. */
  readonly contentType?: string;
  readonly example?: unknown;
  readonly headers?: z.ZodObject;
}

/**
 * One method of one path: what the router serves and what the OpenAPI document says of it, in one row, so that there is
 * neither a route without documentation nor the reverse.
 */
export interface Endpoint {
  readonly method: 'get' | 'post';
  /** As OpenAPI writes it: `/v1/runs/{id}`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  /** The least that the token has to permit; `nothing`: served without a token. */
  readonly needs: Permission | 'nothing';
  readonly pathParameters?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: { readonly schema: z.ZodType; readonly required: boolean; readonly example?: unknown };
  readonly answers: Readonly<Record<number, EndpointAnswer>>;
  /** Beside those that every endpoint has. */
  readonly problems: readonly ProblemCode[];
  /** Made once; `endpoints` are all of the API. */
  handler(this: void, deps: ApiDeps, endpoints: readonly Endpoint[]): Handler;
}
