import type { z } from 'zod';
import { findOperation } from '../domain/operations.ts';
import type { Operation } from '../domain/operations.ts';
import type { RequestFault } from './problem.ts';
import { invalid, Problem } from './problem.ts';
import { emptyBody, skipBody, startBody, startHeaders } from './requests.ts';
import { runId } from './schemas.ts';

export interface StartRequest {
  readonly row: Operation;
  /** Checked, with defaults filled in. */
  readonly input: Record<string, unknown>;
  /** As it was sent, to tell whether a repeated key asks for the same. */
  readonly body: unknown;
}

/** Only what the schema can judge is refused here; a missing template or a full pool shows when the run meets it. */
export function parseStart(body: unknown): StartRequest {
  const { operation, input } = parse(startBody, body);
  const row = findOperation(operation);
  if (row === undefined) throw new Error(`The schema of requests knows ${operation}, the catalogue does not.`);
  const unstorable = unstorablePath(input, ['input']);
  if (unstorable !== undefined) {
    throw invalid([{ pointer: pointerTo(unstorable), message: 'NUL or broken Unicode, which cannot be stored' }]);
  }
  return { row, input, body };
}

export function parseSkip(body: unknown): { reason: string } {
  return parse(skipBody, body);
}

export function parseNothing(body: unknown): void {
  if (body !== undefined) parse(emptyBody, body);
}

export function parseIdempotencyKey(header: string | undefined): string {
  if (header !== undefined && startHeaders.shape['Idempotency-Key'].safeParse(header).success) return header;
  const message =
    header === undefined
      ? 'missing: send a new random value per request, and the same one when you repeat it'
      : '1 to 200 visible ASCII characters without spaces';
  throw invalid([{ parameter: 'Idempotency-Key', message }]);
}

/** An id that cannot be one is treated like one that nobody has. */
export function parseRunId(id: string | undefined): string {
  if (id !== undefined && runId.safeParse(id).success) return id.toLowerCase();
  throw new Problem('NOT_FOUND', 'There is no such run.');
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (!result.success) throw invalid(faultsOf(result.error));
  return result.data;
}

/** Of a query or of headers: faults are told by the name of the parameter. */
export function parseNamed<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const faults = faultsOf(result.error);
  throw invalid(faults.map(({ pointer, message }) => ({ parameter: pointer?.split('/')[1], message })));
}

function faultsOf(error: z.ZodError): RequestFault[] {
  return error.issues.flatMap((issue): RequestFault[] => {
    const { path, message } = issue;
    if (issue.code !== 'unrecognized_keys') return [{ pointer: pointerTo(path), message }];
    return issue.keys.map((key) => ({ pointer: pointerTo([...path, key]), message: 'unknown field' }));
  });
}

/** RFC 6901 */
function pointerTo(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** PostgreSQL stores neither NUL nor half of a surrogate pair in its JSON; the schemas let both pass in free text. */
function unstorablePath(value: unknown, path: readonly string[]): readonly string[] | undefined {
  if (typeof value === 'string') return /[\0\p{Surrogate}]/u.test(value) ? path : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, member] of Object.entries(value)) {
    const found = unstorablePath(member, [...path, key]);
    if (found !== undefined) return found;
  }
  return undefined;
}
