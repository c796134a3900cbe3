import { z } from 'zod';
import { FAILURES } from '../domain/errors.ts';
import type { FailureCode } from '../domain/errors.ts';
import { RUN_STATES } from '../domain/run.ts';

/**
 * What the API answers, in zod: the types of the views, the OpenAPI document and the checks of the tests come from here.
 */
export const runId = z
  .uuid()
  .meta({ description: 'Id of a run (UUIDv7: sorts by time)', example: '0198c0de-4a1b-7000-8000-2f6b1c9d0e3a' });

const time = z.iso.datetime().meta({ description: 'ISO 8601, UTC', example: '2026-11-22T01:04:09.120Z' });
const failureCodes = Object.keys(FAILURES) as [FailureCode, ...FailureCode[]];

const failureMembers = {
  object: z.string().optional().meta({ description: 'What was acted on, by name and id', example: 'VM web-01' }),
  native: z
    .object({ code: z.string(), params: z.array(z.string()).readonly() })
    .optional()
    .meta({
      description: 'The words of the pool: XAPI error code and parameters',
      example: { code: 'SR_FULL', params: ['1', '2'] },
    }),
  reasons: z
    .array(z.object({ object: z.string(), reason: z.string() }))
    .readonly()
    .optional()
    .meta({ description: 'One row per candidate that was refused, e.g. per host' }),
  ownerRunId: runId.optional().meta({ description: 'The run that stands in the way' }),
};

const failure = z
  .object({
    code: z.enum(failureCodes).meta({ description: 'One of the closed list of failures', example: 'NO_HOST_FITS' }),
    message: z.string().meta({ description: 'What failed, for a person' }),
    ...failureMembers,
  })
  .meta({ id: 'Failure', description: 'Why a step or a run failed' });

const runState = z
  .enum(RUN_STATES)
  .meta({ id: 'RunState', description: 'One table of states for database, API, CLI and logs', example: 'running' });

export const run = z
  .object({
    id: runId,
    operation: z.string().meta({ description: 'Name in the catalogue', example: 'deploy-vm' }),
    summary: z.string().meta({ example: 'Deploy VM web-01 on pool ams1 from template debian-12' }),
    state: runState,
    seq: z.int().meta({ description: 'Number of its latest event; `?after=` of a long poll', example: 12 }),
    committed: z.boolean().meta({ description: 'Past the point of no return: nothing is undone any more' }),
    resource: z.string().meta({ description: 'The object that the run owns', example: 'pool/ams1/vm/web-01' }),
    requestedBy: z.string().meta({ description: 'Name of the token', example: 'alice' }),
    createdAt: time,
    startedAt: time.optional(),
    endedAt: time.optional(),
    currentStep: z.string().optional().meta({ example: 'cloneVm' }),
    failure: failure.optional(),
  })
  .meta({ id: 'Run', description: 'One execution of an operation' });

const step = z
  .object({
    name: z.string().meta({ example: 'cloneVm' }),
    undo: z.boolean().meta({ description: 'True for the way back' }),
    state: z.enum(['running', 'retrying', 'done', 'failed']),
    attempts: z.int(),
    startedAt: time,
    endedAt: time.optional(),
    worker: z.string().optional().meta({ description: 'Who had the last attempt: host/process id' }),
    lastFailure: failure
      .optional()
      .meta({ description: 'Of the last attempt that failed, also when a later one succeeded' }),
  })
  .meta({ id: 'Step', description: 'One recoverable effect on the outside, with its attempts' });

const ledgerEntry = z
  .object({
    kind: z.string().meta({ description: 'Class of XAPI, or ours', example: 'VM' }),
    id: z.string().meta({ description: 'Uuid, or the tag that it is found by' }),
    name: z.string(),
    duty: z.enum(['remove', 'restore']),
    step: z.string(),
    state: z.enum(['owed', 'settled', 'abandoned']),
    reason: z.string().optional().meta({ description: 'Why an operator took it over' }),
  })
  .meta({ id: 'LedgerEntry', description: 'Something a run created or switched off, and whether it still owes it' });

export const runDetail = run
  .extend({
    input: z
      .record(z.string(), z.unknown())
      .meta({ description: 'What was asked for, defaults filled in, no secrets' }),
    steps: z.array(step).readonly(),
    result: z.unknown().optional().meta({ description: 'What the operation answers; once it has succeeded' }),
    skips: z
      .array(z.object({ step: z.string(), reason: z.string() }))
      .readonly()
      .meta({ description: 'What an operator had left out, and why' }),
    ledger: z.array(ledgerEntry).readonly(),
    links: z.object({ temporalUi: z.url().optional() }),
  })
  .meta({ id: 'RunDetail', description: 'A run with its steps, result and ledger' });

export const runEvent = z
  .object({
    runId,
    seq: z.int().meta({ description: 'From 1, without gaps, per run', example: 3 }),
    at: time,
    kind: z.enum(['run-accepted', 'run-state', 'step-started', 'attempt-failed', 'step-done']),
    step: z.string().optional().meta({ description: 'The way back ends in .undo', example: 'cloneVm' }),
    round: z.int().optional().meta({ description: 'How often an operator has asked for this step again' }),
    attempt: z.int().optional(),
    state: runState.optional(),
    failure: failure.optional(),
    worker: z.string().optional(),
  })
  .meta({ id: 'RunEvent', description: 'Something that happened in a run; the `data` of the streams' });

const requestFault = z.object({
  pointer: z.string().optional().meta({ description: 'Into the body (RFC 6901)', example: '/input/vcpus' }),
  parameter: z.string().optional().meta({ description: 'Name of a query parameter or header' }),
  message: z.string(),
});

/** RFC 9457. */
export const problem = z
  .object({
    type: z.string().meta({ description: 'Page of the code, relative to the API', example: '/problems/RUN_CONFLICT' }),
    title: z.string().meta({ example: 'Run conflict' }),
    status: z.int(),
    detail: z.string().meta({ description: 'What failed, on which object, in what state things are now' }),
    code: z.string().meta({ description: 'Stable; what programs look at', example: 'RUN_CONFLICT' }),
    hint: z.string().meta({ description: 'What to do next' }),
    runId: runId.optional().meta({ description: 'The run that this is about' }),
    errors: z.array(requestFault).readonly().optional().meta({ description: 'Every fault of the request' }),
    missingPermission: z.string().optional().meta({ description: 'What the role of the token lacks', example: 'run' }),
    ...failureMembers,
    requestId: z.uuid().meta({ description: 'As in X-Request-Id and in the log' }),
  })
  .meta({ id: 'Problem', description: 'Why a request was not served (RFC 9457)' });

export const problemType = z
  .object({ code: z.string(), title: z.string(), status: z.int(), hint: z.string() })
  .meta({ id: 'ProblemType', description: 'What a code means, whatever it is about' });

export type RunView = z.output<typeof run>;
export type RunDetailView = z.output<typeof runDetail>;
export type StepView = z.output<typeof step>;
export type ProblemView = z.output<typeof problem>;
export type RunEventView = z.output<typeof runEvent>;
