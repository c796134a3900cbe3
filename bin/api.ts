/**
 * The API process: HTTP, and the reconciler beside it. One line on stdout says that it is ready; SIGTERM lets requests
 * at work end.
 */
import type { Logger } from 'pino';
import { migrate, openDatabase, orStoreUnavailable } from '../adapters/postgres/database.ts';
import { EventFeed } from '../adapters/postgres/event-feed.ts';
import { RunStore } from '../adapters/postgres/run-store.ts';
import { TokenStore } from '../adapters/postgres/token-store.ts';
import { Wakes } from '../adapters/postgres/wakes.ts';
import { Vault } from '../adapters/postgres/vault.ts';
import { openTemporal } from '../adapters/temporal/connect.ts';
import { Engine } from '../adapters/temporal/engine.ts';
import { Reconciler } from '../adapters/temporal/reconciler.ts';
import { createApp } from '../api/app.ts';
import { STREAM_LIMITS } from '../api/event-stream.ts';
import { listen } from '../api/server.ts';
import { StreamGate } from '../api/stream-gate.ts';
import { DEFAULT_TIMING } from '../domain/run.ts';
import { ConfigFaults, loadApiConfig } from './config.ts';
import type { ApiConfig } from './config.ts';
import { createLogger } from './logger.ts';
import { createApiMetrics } from './metrics/api-metrics.ts';
import { serveMetrics } from './metrics/server.ts';

const DRAIN_LIMIT_MS = 10_000;
const RECONCILE_INTERVAL_MS = 2_000;
const RECONCILE_OPEN_INTERVAL_MS = 30_000;
/** Longer than a request may take between its row and its start. */
const START_GRACE_MS = 5_000;
/** Of the token file: the caller that is there before anybody has made a token. */
const FIRST_TOKEN_NAME = 'operator';
/** Somebody has to be able to do everything. */
const FIRST_TOKEN_ROLE = 'admin';

/** Answers what stops the process again. */
async function serve(config: ApiConfig, logger: Logger): Promise<() => Promise<void>> {
  await orStoreUnavailable(() => migrate(config.databaseUrl));
  const database = openDatabase(config.databaseUrl);
  const temporal = openTemporal(config.temporal);
  const store = new RunStore(database.db, new Vault(config.secretsKey));
  const engine = new Engine(temporal, { taskQueue: config.taskQueue, uiUrl: config.temporalUiUrl });
  const reconciler = new Reconciler(store, engine, DEFAULT_TIMING, {
    intervalMs: RECONCILE_INTERVAL_MS,
    openIntervalMs: RECONCILE_OPEN_INTERVAL_MS,
    graceMs: START_GRACE_MS,
    report: (trouble) => logger.warn({ err: trouble }, 'rows and workflows could not be compared; tried again'),
  });
  const wakes = new Wakes(config.databaseUrl, {
    report: (trouble) =>
      logger.warn({ err: trouble }, 'events are looked for every few seconds until they can be listened for'),
  });
  const tokens = new TokenStore(database.db);
  if (config.token !== undefined) await tokens.adopt(FIRST_TOKEN_NAME, FIRST_TOKEN_ROLE, config.token);
  const metrics = createApiMetrics(store);
  const app = createApp({
    onRequest: metrics.onRequest,
    ...{ store, engine, wakes, tokens, logger },
    feed: new EventFeed(database.db),
    streams: { gate: new StreamGate(STREAM_LIMITS), limits: STREAM_LIMITS },
    ratePerMinute: config.ratePerMinute,
    timing: DEFAULT_TIMING,
  });
  const server = await listen(app, config);
  const stopMetrics = await serveMetrics(metrics.registry, config.metrics, logger);
  reconciler.start();
  wakes.start();
  process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid, url: server.url })}\n`);
  logger.info({ url: server.url, pools: config.poolIds }, 'ready');
  return async () => {
    await Promise.all([wakes.close(), server.drain(DRAIN_LIMIT_MS)]);
    await reconciler.stop();
    await stopMetrics();
    await temporal.connection.close();
    await database.close();
  };
}

function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
}

async function main(): Promise<void> {
  const logger = createLogger('api');
  const stopped = stopSignal();
  try {
    const stop = await serve(loadApiConfig(process.env), logger);
    logger.info({ signal: await stopped }, 'draining');
    await stop();
  } catch (error) {
    if (error instanceof ConfigFaults) logger.fatal(error.message);
    else
      logger.fatal({ err: error }, `The API cannot go on: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  }
}

await main();
