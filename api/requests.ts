import { z } from 'zod';
import { OPERATIONS } from '../domain/operations.ts';
import type { OperationName } from '../domain/operations.ts';
import { RUN_STATES } from '../domain/run.ts';
import { runId } from './schemas.ts';

/** What the API takes, in zod: judged here, documented from here. */

const OPERATION_NAMES = OPERATIONS.map((row) => row.name);

function startOf(row: (typeof OPERATIONS)[number]) {
  return z.strictObject({ operation: z.literal(row.name), input: row.input }).meta({ title: row.title });
}

const [firstOperation, ...otherOperations] = OPERATIONS;

export const startBody = z
  .discriminatedUnion('operation', [startOf(firstOperation), ...otherOperations.map(startOf)], {
    error: ({ input }) =>
      typeof input === 'object'
        ? `there is no such operation; there are: ${OPERATION_NAMES.join(', ')}`
        : 'an object with operation and input',
  })
  .meta({ id: 'StartRequest', description: 'An operation of the catalogue with its input' });

export const emptyBody = z.strictObject({}).meta({ description: 'Nothing, or an empty object' });

const MAX_REASON_CHARS = 500;
export const skipBody = z
  .strictObject({
    reason: z
      .string()
      .trim()
      .min(1)
      .max(MAX_REASON_CHARS)
      .regex(/^[^\p{Cc}\p{Cs}]+$/u, 'no control characters and no broken Unicode')
      .meta({ description: 'Why; it stays with the run', example: 'the disk was removed by hand' }),
  })
  .meta({ id: 'SkipRequest' });

export const runPath = z.object({ id: runId });

const EXAMPLE_KEY = '1f9c3f0e-6a57-4bd0-9a3b-0d6f1f7a5f11';
/** Visible ASCII without spaces: what comes back unchanged from every proxy and log. */
export const startHeaders = z.object({
  'Idempotency-Key': z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/)
    .meta({
      description:
        'A new random value per request, and the same one when it is repeated: one run per caller and key, for ever.',
      example: EXAMPLE_KEY,
    }),
});

const MAX_PAGE = 200;
const DEFAULT_PAGE = 50;
const states = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(RUN_STATES)))
  .meta({ description: `Only in these states, separated by commas: ${RUN_STATES.join(', ')}`, example: 'running' });
const filterText = (maxChars: number) =>
  z
    .string()
    .min(1)
    .max(maxChars)
    .regex(/^[^\p{Cc}\p{Cs}]+$/u, 'no control characters');
const moment = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

export const listQuery = z.strictObject({
  state: states.optional(),
  operation: z
    .enum(OPERATION_NAMES as [OperationName, ...OperationName[]])
    .optional()
    .meta({ description: 'Only of this operation' }),
  requestedBy: filterText(100).optional().meta({ description: 'Only asked for with the token of this name' }),
  resource: filterText(300).optional().meta({
    description: 'Only on objects whose name begins like this',
    example: 'pool/ams1/',
  }),
  since: moment
    .optional()
    .meta({ description: 'Only accepted at this moment or later', example: '2026-11-22T00:00:00Z' }),
  until: moment.optional().meta({ description: 'Only accepted before this moment', example: '2026-11-23T00:00:00Z' }),
  order: z.enum(['newest', 'oldest']).default('newest').meta({ description: 'Which runs come first' }),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE).meta({ description: 'Runs per page' }),
  cursor: z
    .uuid()
    .optional()
    .meta({ description: 'The `nextCursor` of the page before, with the same filter and order' }),
});

const MAX_WAIT_SECONDS = 60;
export const showQuery = z.strictObject({
  wait: z.coerce.number().int().min(0).max(MAX_WAIT_SECONDS).default(0).meta({
    description:
      'Seconds to wait for news: until the run has an event beyond `after`; without `after` until it has ended or needs an operator. The answer after that time is the run as it is.',
  }),
  after: z.coerce.number().int().min(0).optional().meta({ description: 'The `seq` of the run that the client knows' }),
});

const cursor = z.coerce.number().int().min(0);

export const streamQuery = z.strictObject({
  after: cursor.optional().meta({ description: 'Where to go on for a client that cannot send Last-Event-ID' }),
});

export const streamHeaders = z.object({
  'Last-Event-ID': cursor.optional().meta({ description: 'The `id` of the last event that the client has seen' }),
});
