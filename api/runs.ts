import { Router } from 'express';
import type { RunEvent, RunRow } from '../adapters/postgres/run-store.ts';
import { OperationFailure } from '../domain/errors.ts';
import { isEnded } from '../domain/run.ts';
import type { ApiDeps, Handler } from './context.ts';
import { methodNotAllowed } from './error-handler.ts';
import { aboutRun, Problem } from './problem.ts';
import { runDetail, runView } from './run-view.ts';
import { startRun } from './start-run.ts';
import { parseIdempotencyKey, parseList, parseNothing, parseRunId, parseSkip, parseStart } from './validate.ts';

const EVENTS_PER_READ = 1_000;

/** Everything under /v1/runs; the caller is known here. */
export function runRoutes(deps: ApiDeps): Router {
  const router = Router();
  router.route('/').get(list(deps)).post(start(deps)).all(methodNotAllowed('GET, HEAD, POST'));
  router.route('/:id').get(show(deps)).all(methodNotAllowed('GET, HEAD'));
  for (const [verb, handler] of Object.entries(actions(deps))) {
    router.route(`/:id/${verb}`).post(handler).all(methodNotAllowed('POST'));
  }
  return router;
}

function start(deps: ApiDeps): Handler {
  return async (request, response) => {
    const key = parseIdempotencyKey(request.get('idempotency-key'));
    const run = await startRun(deps, response.locals.caller, key, parseStart(request.body));
    response
      .status(202)
      .location(`/v1/runs/${run.id}`)
      .json({ run: runView(run) });
  };
}

/** Newest first; `nextCursor` is absent on the last page. */
function list(deps: ApiDeps): Handler {
  return async (request, response) => {
    const { state, operation, limit, cursor } = parseList(request.query);
    const found = await deps.store.list({ state, operation, limit: limit + 1, before: cursor });
    const page = found.slice(0, limit);
    const nextCursor = found.length > limit ? page.at(-1)?.id : undefined;
    response.json({ runs: page.map(runView), nextCursor });
  };
}

function show(deps: ApiDeps): Handler {
  return async (request, response) => {
    const run = await existingRun(deps, request.params.id);
    const [events, ledger] = [await allEvents(deps, run.id), await deps.store.ledger(run.id)];
    response.json({ run: runDetail(run, events, ledger, deps.engine.uiLink(run)) });
  };
}

function actions(deps: ApiDeps): Record<'cancel' | 'retry' | 'skip', Handler> {
  const { engine } = deps;
  return {
    cancel: action(deps, (run, by, body) => (parseNothing(body), () => engine.cancel(run, by))),
    retry: action(deps, (run, by, body) => (parseNothing(body), () => engine.retry(run, by))),
    skip: action(deps, (run, by, body) => {
      const { reason } = parseSkip(body);
      return () => engine.skip(run, by, reason);
    }),
  };
}

/** Answers what the run will do about it; a run that cannot do it now refuses with its reason. */
function action(deps: ApiDeps, prepare: (run: RunRow, by: string, body: unknown) => () => Promise<string>): Handler {
  return async (request, response) => {
    const run = await existingRun(deps, request.params.id);
    const ask = prepare(run, response.locals.caller.name, request.body);
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

const ENGINE_AWAY_HINT = 'Look at the run; ask again once /readyz says that Temporal is there and a worker is at work.';

function isEngineAway(error: unknown): boolean {
  return error instanceof OperationFailure && error.code === 'ENGINE_UNAVAILABLE';
}

async function existingRun(deps: ApiDeps, id: string | undefined): Promise<RunRow> {
  const run = await deps.store.get(parseRunId(id));
  if (run === undefined) throw new Problem('NOT_FOUND', 'There is no such run.');
  return run;
}

async function allEvents(deps: ApiDeps, runId: string): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for (;;) {
    const more = await deps.store.events(runId, events.at(-1)?.seq ?? 0, EVENTS_PER_READ);
    events.push(...more);
    if (more.length < EVENTS_PER_READ) return events;
  }
}
