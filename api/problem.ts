import { FAILURES, OperationFailure } from '../domain/errors.ts';
import type { FailureCode, FailureDetails } from '../domain/errors.ts';
import type { Permission } from '../domain/permissions.ts';
import type { ProblemView } from './schemas.ts';

/** Failures that only exist between an HTTP client and this API; everything else is in the closed list of the domain. */
const TRANSPORT_PROBLEMS = {
  NO_SUCH_ROUTE: { httpStatus: 404, hint: 'Check the path; runs are under /v1/runs.' },
  METHOD_NOT_ALLOWED: { httpStatus: 405, hint: 'Use one of the methods in the Allow header.' },
  BODY_TOO_LARGE: { httpStatus: 413, hint: 'Send a smaller body.' },
  UNSUPPORTED_MEDIA_TYPE: { httpStatus: 415, hint: 'Send JSON in UTF-8 with Content-Type: application/json.' },
  UNEXPECTED: { httpStatus: 500, hint: 'The log of the API has the whole error under this request id; report it.' },
} as const;

export const PROBLEMS: Readonly<Record<ProblemCode, ProblemKind>> = { ...FAILURES, ...TRANSPORT_PROBLEMS };

export type ProblemCode = FailureCode | keyof typeof TRANSPORT_PROBLEMS;

interface ProblemKind {
  readonly httpStatus: number;
  readonly hint: string;
}

/** One fault of a request: `pointer` into its body (RFC 6901), or the name of a query or header `parameter`. */
export interface RequestFault {
  readonly pointer?: string;
  readonly parameter?: string;
  readonly message: string;
}

interface ProblemExtras extends FailureDetails {
  readonly runId?: string;
  readonly errors?: readonly RequestFault[];
  /** For FORBIDDEN. */
  readonly missingPermission?: Permission;
  /** In place of the general hint of the code. */
  readonly hint?: string;
  /** For METHOD_NOT_ALLOWED. */
  readonly allow?: string;
  /** For 429 and 503, when it is known better than by default. */
  readonly retryAfterSeconds?: number;
}

const RETRY_AFTER_SECONDS = 5;

/** What a client gets instead of an answer; thrown anywhere in the API, sent by the error handler (RFC 9457). */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly extras: ProblemExtras;

  constructor(code: ProblemCode, message: string, extras: ProblemExtras = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.extras = extras;
  }

  get status(): number {
    return PROBLEMS[this.code].httpStatus;
  }

  get headers(): Record<string, string> {
    if (this.code === 'UNAUTHENTICATED') return { 'WWW-Authenticate': 'Bearer' };
    if (this.extras.allow !== undefined) return { Allow: this.extras.allow };
    const { retryAfterSeconds = RETRY_AFTER_SECONDS } = this.extras;
    return this.status === 503 || this.status === 429 ? { 'Retry-After': String(retryAfterSeconds) } : {};
  }

  /** The body of the answer; absent members are left out of its JSON. */
  toDocument(requestId: string): ProblemView {
    const { allow, retryAfterSeconds, hint, ...members } = this.extras;
    return {
      type: `/problems/${this.code}`,
      title: titleOf(this.code),
      status: this.status,
      detail: this.message,
      code: this.code,
      hint: hint ?? PROBLEMS[this.code].hint,
      ...members,
      requestId,
    };
  }
}

/** A failure that concerns a run tells which, so that the client can follow it. */
export function aboutRun(error: unknown, runId: string, hint?: string): unknown {
  if (!(error instanceof OperationFailure)) return error;
  return new Problem(error.code, error.message, { ...error.details, runId, hint }, { cause: error });
}

export function invalid(errors: readonly RequestFault[]): Problem {
  const words = errors.map(({ pointer, parameter, message }) => `${parameter ?? pointer ?? ''}: ${message}`);
  return new Problem('INVALID_INPUT', `The request was refused, nothing was started. ${words.join('; ')}`, { errors });
}

/** `RUN_CONFLICT` → `Run conflict` */
export function titleOf(code: ProblemCode): string {
  const words = code.toLowerCase().replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function isProblemCode(value: unknown): value is ProblemCode {
  return typeof value === 'string' && Object.hasOwn(PROBLEMS, value);
}
