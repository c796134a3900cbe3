import express, { Router } from 'express';
import type { Express } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { v4 as uuidv4 } from 'uuid';
import { requireCaller } from './authenticate.ts';
import type { ApiDeps, Handler } from './context.ts';
import { errorHandler, methodNotAllowed, noSuchRoute, requireJson } from './error-handler.ts';
import { alive, ready } from './health.ts';
import { runRoutes } from './runs.ts';

const BODY_LIMIT = '256kb';

/** The API as an Express application; it neither listens nor closes anything. */
export function createApp(deps: ApiDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(identifyAndLog(deps.logger));
  app.use(helmet());
  app.route('/healthz').get(alive).all(methodNotAllowed('GET, HEAD'));
  app.route('/readyz').get(ready(deps)).all(methodNotAllowed('GET, HEAD'));
  app.use('/v1', v1(deps));
  app.use(noSuchRoute);
  app.use(errorHandler(deps.logger));
  return app;
}

function v1(deps: ApiDeps): Router {
  const router = Router();
  router.use(requireCaller(deps.authenticate));
  router.use(notStored);
  router.use(requireJson, express.json({ limit: BODY_LIMIT }));
  router.use('/runs', runRoutes(deps));
  return router;
}

const notStored: Handler = (_request, response, next) => {
  response.set('Cache-Control', 'no-store');
  next();
};

/** One line per request when it has ended; neither query, headers nor body are logged: they may hold secrets. */
function identifyAndLog(logger: Logger): Handler {
  return (request, response, next) => {
    const requestId = uuidv4();
    const { method, path } = request;
    const startedMs = performance.now();
    response.locals.requestId = requestId;
    response.set('X-Request-Id', requestId);
    response.on('close', () => {
      const durationMs = Math.round(performance.now() - startedMs);
      const { caller } = response.locals as Partial<typeof response.locals>;
      logger.info(
        { requestId, method, path, status: response.statusCode, durationMs, caller: caller?.name },
        'request',
      );
    });
    next();
  };
}
