import type { RunEvent, RunRow } from '../adapters/postgres/rows.ts';
import { OperationFailure } from '../domain/errors.ts';
import { findOperation } from '../domain/operations.ts';
import type { Permission } from '../domain/permissions.ts';
import { isEnded } from '../domain/run.ts';
import { demand } from './authorize.ts';
import type { ApiDeps, Handler } from './context.ts';
import { existingRun } from './existing-run.ts';
import { aboutRun, Problem } from './problem.ts';
import { listQuery, showQuery } from './requests.ts';
import { runDetail, runView } from './run-view.ts';
import { startRun } from './start-run.ts';
import { parseIdempotencyKey, parseNamed, parseNothing, parseRunId, parseSkip, parseStart } from './validate.ts';
import { untilNews } from './wait-for-news.ts';

const EVENTS_PER_READ = 1_000;

export function startRunHandler(deps: ApiDeps): Handler {
  return async (request, response) => {
    const key = parseIdempotencyKey(request.get('idempotency-key'));
    const start = parseStart(request.body);
    const { caller } = response.locals;
    demand(caller, start.row.permission, start.row.name);
    const run = await startRun(deps, caller, key, start);
    response
      .status(202)
      .location(`/v1/runs/${run.id}`)
      .json({ run: runView(run) });
  };
}

/** `nextCursor` is absent on the last page. */
export function listRuns(deps: ApiDeps): Handler {
  return async (request, response) => {
    const { limit, ...filter } = parseNamed(listQuery, request.query);
    const found = await deps.store.list({ ...filter, limit: limit + 1 });
    const page = found.slice(0, limit);
    const nextCursor = found.length > limit ? page.at(-1)?.id : undefined;
    response.json({ runs: page.map(runView), nextCursor });
  };
}

export function showRun(deps: ApiDeps): Handler {
  return async (request, response) => {
    const query = parseNamed(showQuery, request.query);
    const id = parseRunId(request.params.id);
    const run = query.wait === 0 ? await existingRun(deps, id) : await untilNews(deps, id, query, response);
    const [events, ledger] = [await allEvents(deps, run.id), await deps.store.ledger(run.id)];
    response.json({ run: runDetail(run, events, ledger, deps.engine.uiLink(run)) });
  };
}

export function cancelRun(deps: ApiDeps): Handler {
  return action(deps, (run, by, body) => (parseNothing(body), () => deps.engine.cancel(run, by)));
}

export function retryRun(deps: ApiDeps): Handler {
  return action(deps, (run, by, body) => (parseNothing(body), () => deps.engine.retry(run, by)));
}

export function skipRun(deps: ApiDeps): Handler {
  return action(deps, (run, by, body) => {
    const { reason } = parseSkip(body);
    return () => deps.engine.skip(run, by, reason);
  });
}

/** Answers what the run will do about it; a run that cannot do it now refuses with its reason. */
function action(deps: ApiDeps, prepare: (run: RunRow, by: string, body: unknown) => () => Promise<string>): Handler {
  return async (request, response) => {
    const run = await existingRun(deps, parseRunId(request.params.id));
    const { caller } = response.locals;
    demand(caller, permissionOf(run), `Run ${run.id} (${run.operation})`);
    const ask = prepare(run, caller.name, request.body);
    if (isEnded(run.state)) {
      throw new Problem('ACTION_REFUSED', `Run ${run.id} (${run.summary}) has ended: ${run.state}.`, { runId: run.id });
    }
    try {
      const will = await ask();
      response.json({ run: runView(await existingRun(deps, run.id)), will });
    } catch (error) {
      throw aboutRun(error, run.id, isEngineAway(error) ? ENGINE_AWAY_HINT : undefined);
    }
  };
}

/** Whoever may not start an operation may neither let it go on nor stop it. */
function permissionOf({ operation }: RunRow): Permission {
  return findOperation(operation)?.permission ?? 'run-destructive';
}

const ENGINE_AWAY_HINT = 'Look at the run; ask again once /readyz says that Temporal is there and a worker is at work.';

function isEngineAway(error: unknown): boolean {
  return error instanceof OperationFailure && error.code === 'ENGINE_UNAVAILABLE';
}

async function allEvents(deps: ApiDeps, runId: string): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for (;;) {
    const more = await deps.store.events(runId, events.at(-1)?.seq ?? 0, EVENTS_PER_READ);
    events.push(...more);
    if (more.length < EVENTS_PER_READ) return events;
  }
}
