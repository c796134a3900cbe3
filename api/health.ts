import type { ApiDeps, Handler } from './context.ts';

/** The process is there. */
export const alive: Handler = (_request, response) => {
  response.json({ status: 'alive' });
};

/** What the process needs is there as well: 200, or 503 with what is away. */
export function ready({ store, engine }: ApiDeps): Handler {
  return async (_request, response) => {
    const [database, temporal] = await Promise.all([isUp(store.list({ limit: 1 })), isUp(engine.ping())]);
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
