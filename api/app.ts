import express from 'express';
import type { Express } from 'express';
import helmet from 'helmet';
import { v4 as uuidv4 } from 'uuid';
import { requireCaller } from './authenticate.ts';
import { requirePermission } from './authorize.ts';
import type { ApiDeps, Handler } from './context.ts';
import { docsPage } from './docs-page.ts';
import { limitRate } from './rate-limit.ts';
import type { Endpoint } from './endpoint.ts';
import { ENDPOINTS } from './endpoints.ts';
import { errorHandler, methodNotAllowed, noSuchRoute, requireJson } from './error-handler.ts';

const BODY_LIMIT = '256kb';

/** The API as an Express application; it neither listens nor closes anything. */
export function createApp(deps: ApiDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(identifyAndLog(deps));
  app.use(helmet());
  app.use('/v1', requireCaller(deps), limitRate(deps.ratePerMinute), notStored);
  app.use('/v1', requireJson, express.json({ limit: BODY_LIMIT }));
  serve(app, ENDPOINTS, deps);
  app.use(docsPage());
  app.use(noSuchRoute);
  app.use(errorHandler(deps.logger));
  return app;
}

/** Every path with its methods; any other method is refused by name. */
function serve(app: Express, endpoints: readonly Endpoint[], deps: ApiDeps): void {
  for (const path of new Set(endpoints.map((endpoint) => endpoint.path))) {
    const methods = endpoints.filter((endpoint) => endpoint.path === path);
    const route = app.route(path.replaceAll(/\{(\w+)\}/g, ':$1'));
    for (const { method, needs, handler } of methods) {
      if (needs !== 'nothing') route[method](requirePermission(needs));
      route[method](handler(deps, endpoints));
    }
    const allowed = methods.map(({ method }) => (method === 'get' ? 'GET, HEAD' : method.toUpperCase()));
    route.all(methodNotAllowed(allowed.toSorted().join(', ')));
  }
}

const notStored: Handler = (_request, response, next) => {
  response.set('Cache-Control', 'no-store');
  next();
};

/** One line per request when it has ended; neither query, headers nor body are logged: they may hold secrets. */
function identifyAndLog({ logger, onRequest }: ApiDeps): Handler {
  return (request, response, next) => {
    const requestId = uuidv4();
    const { method, path } = request;
    const startedMs = performance.now();
    response.locals.requestId = requestId;
    response.set('X-Request-Id', requestId);
    response.on('close', () => {
      const durationMs = Math.round(performance.now() - startedMs);
      const route = routeOf(request);
      const { caller } = response.locals as Partial<typeof response.locals>;
      logger.info(
        { requestId, method, path, status: response.statusCode, durationMs, caller: caller?.name },
        'request',
      );
      if (isAnsweredAtOnce(request)) onRequest({ method, route, status: response.statusCode, durationMs });
    });
    next();
  };
}

/** Never the path itself: it holds ids, and a metric of each would grow for ever. */
function routeOf(request: Parameters<Handler>[0]): string {
  const route: unknown = request.route;
  return typeof route === 'object' && route !== null && 'path' in route ? String(route.path) : 'none';
}

/** Streams and long polls last as long as their client wants. */
function isAnsweredAtOnce({ path, query }: Parameters<Handler>[0]): boolean {
  return !path.endsWith('/events') && !(typeof query === 'object' && query !== null && 'wait' in query);
}
