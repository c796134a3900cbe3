import { z } from 'zod';
import { isEnded } from '../domain/run.ts';
import type { RunEvent } from '../adapters/postgres/rows.ts';
import type { ApiDeps, Handler } from './context.ts';
import type { Endpoint } from './endpoint.ts';
import { EventStream } from './event-stream.ts';
import type { StreamItem, StreamSource } from './event-stream.ts';
import { existingRun } from './existing-run.ts';
import { runPath, streamHeaders, streamQuery } from './requests.ts';
import { eventView } from './run-view.ts';
import { parseNamed, parseRunId } from './validate.ts';

const EVENTS_PER_READ = 200;

const HOW_TO_RESUME =
  'Server-sent events: `event` is the kind, `data` a RunEvent as JSON, `id` where to go on. Send the last id back as Last-Event-ID and nothing is missed or repeated, whichever process of the API answers, also after a restart. The first event, `begin`, only tells where the stream begins; comments keep the connection alive.';
const STREAM = z.string().meta({
  example: 'id: 3\nevent: step-started\ndata: {"runId":"…","seq":3,"kind":"step-started","step":"cloneVm"}\n\n',
});
const streamAnswer = {
  description: 'The stream.',
  schema: STREAM,
  contentType: 'text/event-stream',
};

export const STREAM_ENDPOINTS: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/v1/events',
    operationId: 'followAllRuns',
    summary: 'Follow all runs',
    description: `${HOW_TO_RESUME} Without an id the stream begins with what happens from now on; 0 is the very beginning.`,
    needs: 'read',
    query: streamQuery,
    headers: streamHeaders,
    answers: { 200: streamAnswer },
    problems: [],
    handler: followAll,
  },
  {
    method: 'get',
    path: '/v1/runs/{id}/events',
    operationId: 'followRun',
    summary: 'Follow one run',
    description: `${HOW_TO_RESUME} Without an id it begins with the first event of the run; ids are its \`seq\`. After the last event of a run that has ended the stream is closed; asking for more answers 204, which ends an EventSource.`,
    needs: 'read',
    pathParameters: runPath,
    query: streamQuery,
    headers: streamHeaders,
    answers: { 200: streamAnswer, 204: { description: 'The run has ended and the client has seen all of it.' } },
    problems: ['NOT_FOUND'],
    handler: followRun,
  },
];

/** A cursor beyond the last event is one of a database that has been restored since: it begins with what is new. */
function followAll(deps: ApiDeps): Handler {
  const after = async (cursor: number): Promise<StreamItem[]> => {
    const placed = await deps.feed.after(cursor, EVENTS_PER_READ);
    return placed.map(({ position, event }) => ({ ...item(event, position), isLast: false }));
  };
  return async (request, response) => {
    const cursor = cursorOf(request);
    const head = await deps.feed.head();
    await follow(deps, response, { after, from: Math.min(cursor ?? head, head) });
  };
}

function followRun(deps: ApiDeps): Handler {
  return async (request, response) => {
    const cursor = cursorOf(request) ?? 0;
    const run = await existingRun(deps, parseRunId(request.params.id));
    const from = Math.min(cursor, run.seq);
    if (isEnded(run.state) && from === run.seq) {
      response.status(204).end();
      return;
    }
    const after = async (cursor: number): Promise<StreamItem[]> => {
      const events = await deps.store.events(run.id, cursor, EVENTS_PER_READ);
      return events.map((event) => ({ ...item(event, event.seq), isLast: isLast(event) }));
    };
    await follow(deps, response, { after, from, runId: run.id });
  };
}

interface Wanted extends Pick<StreamSource, 'after'> {
  readonly from: number;
  readonly runId?: string;
}

async function follow(
  { streams, wakes }: ApiDeps,
  response: Parameters<Handler>[1],
  { after, from, runId }: Wanted,
): Promise<void> {
  const { caller, isStillValid } = response.locals;
  if (response.req.method === 'HEAD') {
    response.type('text/event-stream').end();
    return;
  }
  const leave = streams.gate.enter(caller.name);
  const latch = wakes.watch(runId);
  try {
    await new EventStream(response, wakes, latch, streams.limits).follow({ after, isAllowed: isStillValid }, from);
  } finally {
    wakes.unwatch(latch);
    leave();
  }
}

function cursorOf(request: Parameters<Handler>[0]): number | undefined {
  const { after } = parseNamed(streamQuery, request.query);
  const id = request.get('last-event-id');
  return parseNamed(streamHeaders, id === undefined ? {} : { 'Last-Event-ID': id })['Last-Event-ID'] ?? after;
}

function item(event: RunEvent, id: number): Omit<StreamItem, 'isLast'> {
  return { id, event: event.kind, data: eventView(event) };
}

/** Nothing is written to a run after the event that ends it. */
function isLast({ kind, state }: RunEvent): boolean {
  return kind === 'run-state' && state !== undefined && isEnded(state);
}
