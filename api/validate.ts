import { z } from 'zod';
import { findOperation, OPERATIONS } from '../domain/operations.ts';
import type { Operation } from '../domain/operations.ts';
import { RUN_STATES } from '../domain/run.ts';
import type { RequestFault } from './problem.ts';
import { invalid, Problem } from './problem.ts';

export interface StartRequest {
  readonly row: Operation;
  /** Checked, with defaults filled in. */
  readonly input: Record<string, unknown>;
  /** As it was sent, to tell whether a repeated key asks for the same. */
  readonly body: unknown;
}

const startBody = z.strictObject({ operation: z.string(), input: z.unknown() });
const emptyBody = z.strictObject({}).optional();
const reason = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .regex(/^\P{Cc}+$/u, 'no control characters');
const skipBody = z.strictObject({ reason });

const MAX_PAGE = 200;
const states = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(RUN_STATES)));
const listQuery = z.strictObject({
  state: states.optional(),
  operation: z.enum(OPERATIONS.map((row) => row.name)).optional(),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(50),
  cursor: z.uuid().optional(),
});

/** Only what the schema can judge is refused here; a missing template or a full pool shows when the run meets it. */
export function parseStart(body: unknown): StartRequest {
  const { operation, input } = parse(startBody, body);
  const row = findOperation(operation);
  if (row === undefined) {
    const known = OPERATIONS.map(({ name }) => name).join(', ');
    throw invalid([{ pointer: '/operation', message: `there is no such operation; there are: ${known}` }]);
  }
  const checked = parse(row.input, input, ['input']);
  const unstorable = unstorablePath(checked, ['input']);
  if (unstorable !== undefined) {
    throw invalid([{ pointer: pointerTo(unstorable), message: 'NUL or broken Unicode, which cannot be stored' }]);
  }
  return { row, input: checked, body };
}

export function parseSkip(body: unknown): { reason: string } {
  return parse(skipBody, body);
}

export function parseNothing(body: unknown): void {
  parse(emptyBody, body);
}

export function parseList(query: unknown): z.output<typeof listQuery> {
  const result = listQuery.safeParse(query);
  if (result.success) return result.data;
  const faults = faultsOf(result.error, []);
  throw invalid(faults.map(({ pointer, message }) => ({ parameter: pointer?.split('/')[1], message })));
}

/** Visible ASCII without spaces: what comes back unchanged from every proxy and log. */
export function parseIdempotencyKey(header: string | undefined): string {
  if (header !== undefined && /^[\x21-\x7e]{1,200}$/.test(header)) return header;
  const message =
    header === undefined
      ? 'missing: send a new random value per request, and the same one when you repeat it'
      : '1 to 200 visible ASCII characters without spaces';
  throw invalid([{ parameter: 'Idempotency-Key', message }]);
}

/** An id that cannot be one is treated like one that nobody has. */
export function parseRunId(id: string | undefined): string {
  if (id !== undefined && z.uuid().safeParse(id).success) return id.toLowerCase();
  throw new Problem('NOT_FOUND', 'There is no such run.');
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown, base: PropertyKey[] = []): z.output<Schema> {
  const result = schema.safeParse(value);
  if (!result.success) throw invalid(faultsOf(result.error, base));
  return result.data;
}

function faultsOf(error: z.ZodError, base: readonly PropertyKey[]): RequestFault[] {
  return error.issues.flatMap((issue): RequestFault[] => {
    const path = [...base, ...issue.path];
    if (issue.code !== 'unrecognized_keys') return [{ pointer: pointerTo(path), message: issue.message }];
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
