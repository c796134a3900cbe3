import { v7 as uuidv7 } from 'uuid';
import type { RunRow } from '../adapters/postgres/rows.ts';
import type { Accepted } from '../adapters/postgres/run-store.ts';
import { startAccepted } from '../adapters/temporal/start-accepted.ts';
import type { Failure } from '../domain/errors.ts';
import { workflowIdFor } from '../domain/operations.ts';
import { hashOf } from './canonical-json.ts';
import type { ApiDeps, Caller } from './context.ts';
import { aboutRun, Problem } from './problem.ts';
import type { StartRequest } from './validate.ts';

type StartDeps = Pick<ApiDeps, 'store' | 'engine' | 'timing'>;

/**
 * Writes the run down, then starts its workflow. The same key with the same body attaches to the run that is there
 * already, and starts it if that has not happened yet.
 */
export async function startRun(
  deps: StartDeps,
  caller: Pick<Caller, 'name'>,
  key: string,
  request: StartRequest,
): Promise<RunRow> {
  const { outcome, run } = await accept(deps, caller, key, request);
  if (outcome === 'other-body') {
    const detail = `The key was used for run ${run.id} (${run.summary}), whose request was another one.`;
    throw new Problem('KEY_REUSED', detail, { runId: run.id });
  }
  if (refusedAtStart(run)) throw refusedAgain(run);
  if (run.state !== 'accepted') return run;
  try {
    await startAccepted(deps.store, deps.engine, run, deps.timing);
  } catch (error) {
    throw aboutRun(error, run.id);
  }
  return run;
}

async function accept(
  deps: Pick<ApiDeps, 'store'>,
  caller: Pick<Caller, 'name'>,
  key: string,
  { row, input, body }: StartRequest,
): Promise<Accepted> {
  const id = uuidv7();
  const secrets = secretsOf(input, row.secretFields);
  const open = Object.entries(input).filter(([name]) => !row.secretFields.includes(name));
  const secretsId = Object.keys(secrets).length === 0 ? {} : { secretsId: id };
  return deps.store.accept({
    id,
    operation: row.name,
    summary: row.summary(input),
    input: { ...Object.fromEntries(open), ...secretsId },
    secrets,
    resource: row.resource(input),
    workflowId: workflowIdFor(row, id, input),
    requestedBy: caller.name,
    idempotencyKey: key,
    bodyHash: hashOf(body),
  });
}

function secretsOf(input: Record<string, unknown>, fields: readonly string[]): Record<string, string> {
  const given = fields.map((field) => [field, input[field]] as const);
  return Object.fromEntries(given.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function refusedAtStart(run: RunRow): run is RunRow & { failure: Failure } {
  return run.state === 'failed' && run.failure?.code === 'RUN_CONFLICT';
}

function refusedAgain({ id, failure }: RunRow & { failure: Failure }): Problem {
  const { object, ownerRunId, message } = failure;
  return new Problem('RUN_CONFLICT', message, { runId: id, object, ownerRunId });
}
