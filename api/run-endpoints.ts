import { z } from 'zod';
import type { Endpoint, EndpointAnswer } from './endpoint.ts';
import { emptyBody, listQuery, runPath, showQuery, skipBody, startBody, startHeaders } from './requests.ts';
import { listRuns, showRun, startRunHandler, cancelRun, retryRun, skipRun } from './runs.ts';
import { run, runDetail } from './schemas.ts';

const EXAMPLE_START = {
  operation: 'deploy-vm',
  input: { pool: 'ams1', name: 'web-01', template: 'debian-12', networks: ['tenant'] },
};

const runAnswer = z.object({ run });
const willAnswer = z.object({
  run,
  will: z.string().meta({ description: 'What the run does about it', example: 'stops after cloneVm and undoes it' }),
});
const listAnswer = z.object({
  runs: z.array(run),
  nextCursor: z.uuid().optional().meta({ description: 'Absent on the last page' }),
});

/** Everything about runs but their streams. */
export const RUN_ENDPOINTS: readonly Endpoint[] = [
  {
    method: 'post',
    path: '/v1/runs',
    operationId: 'startRun',
    summary: 'Start an operation',
    description:
      'Writes the run down and starts it. The same request with the same key answers with the same run. When Temporal is away the answer is 503 with the id of the run: it is recorded and starts by itself. The token has to permit the operation.',
    needs: 'run',
    headers: startHeaders,
    body: { schema: startBody, required: true, example: EXAMPLE_START },
    answers: {
      202: {
        description: 'Accepted: the run goes on by itself.',
        schema: runAnswer,
        headers: z.object({ Location: z.string().meta({ description: 'Where the run is', example: '/v1/runs/…' }) }),
      },
    },
    problems: ['RUN_CONFLICT', 'KEY_REUSED', 'ENGINE_UNAVAILABLE', 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'],
    handler: startRunHandler,
  },
  {
    method: 'get',
    path: '/v1/runs',
    operationId: 'listRuns',
    summary: 'List runs',
    description: 'Page by page, filtered and in the wanted order; a page is stable while new runs come in.',
    needs: 'read',
    query: listQuery,
    answers: { 200: { description: 'One page.', schema: listAnswer } },
    problems: [],
    handler: listRuns,
  },
  {
    method: 'get',
    path: '/v1/runs/{id}',
    operationId: 'showRun',
    summary: 'Show a run, or wait for news of it',
    description: 'State, steps with attempts and the native error code, result, and what it still owes.',
    needs: 'read',
    pathParameters: runPath,
    query: showQuery,
    answers: { 200: { description: 'The run.', schema: z.object({ run: runDetail }) } },
    problems: ['NOT_FOUND'],
    handler: showRun,
  },
  action('cancel', 'Cancel a run', 'What it did is undone; refused past its point of no return.', cancelRun),
  action('retry', 'Try again', 'A run that needs an operator does its step again.', retryRun),
  {
    ...action('skip', 'Leave a step out', 'A run that needs an operator leaves its step out.', skipRun),
    body: { schema: skipBody, required: true },
  },
];

function action(verb: string, summary: string, description: string, handler: Endpoint['handler']): Endpoint {
  const answer: EndpointAnswer = { description: 'What the run will do about it.', schema: willAnswer };
  return {
    method: 'post',
    path: `/v1/runs/{id}/${verb}`,
    operationId: `${verb}Run`,
    summary,
    description: `${description} Answers what the run will do, or refuses with the reason why it cannot do it now. The token has to permit the operation of the run.`,
    needs: 'run',
    pathParameters: runPath,
    body: { schema: emptyBody, required: false },
    answers: { 200: answer },
    problems: ['NOT_FOUND', 'ACTION_REFUSED', 'ENGINE_UNAVAILABLE', 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'],
    handler,
  };
}
