import { z } from 'zod';
import type { ApiDeps, Handler } from './context.ts';
import type { Endpoint } from './endpoint.ts';

const alive = z.object({ status: z.literal('alive') });
const presence = z.enum(['up', 'away']);
const readiness = z
  .object({ status: z.enum(['ready', 'not-ready']), database: presence, temporal: presence })
  .meta({ id: 'Readiness' });

export const HEALTH_ENDPOINTS: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/healthz',
    operationId: 'showLiveness',
    summary: 'Is the process there?',
    description: 'Says nothing about what the process needs.',
    needs: 'nothing',
    answers: { 200: { description: 'It is.', schema: alive } },
    problems: [],
    handler: () => (_request, response) => void response.json({ status: 'alive' }),
  },
  {
    method: 'get',
    path: '/readyz',
    operationId: 'showReadiness',
    summary: 'Is what the process needs there as well?',
    description: 'Asks PostgreSQL and Temporal.',
    needs: 'nothing',
    answers: {
      200: { description: 'All of it.', schema: readiness },
      503: { description: 'Something is away; the body says what.', schema: readiness },
    },
    problems: [],
    handler: ready,
  },
];

function ready({ store, engine }: ApiDeps): Handler {
  return async (_request, response) => {
    const [database, temporal] = await Promise.all([isUp(store.ping()), isUp(engine.ping())]);
    const complete = database && temporal;
    response.status(complete ? 200 : 503).json({
      status: complete ? 'ready' : 'not-ready',
      database: database ? 'up' : 'away',
      temporal: temporal ? 'up' : 'away',
    });
  };
}

function isUp(check: Promise<unknown>): Promise<boolean> {
  return check.then(
    () => true,
    () => false,
  );
}
