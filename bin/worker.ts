/**
 * The worker process: carries out the steps. One line on stdout says that it is ready; SIGTERM lets the steps at work
 * end, a SIGKILL at any moment loses nothing.
 */
import { hostname } from 'node:os';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { LogEntry, TelemetryOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createActivities } from '../activities/index.ts';
import { migrate } from '../adapters/postgres/database.ts';
import { bundlePath } from './bundle-workflows.ts';
import { ConfigFaults, loadWorkerConfig } from './config.ts';
import type { WorkerConfig } from './config.ts';
import { createLogger } from './logger.ts';
import { serveMetrics } from './metrics/server.ts';
import { createWorkerMetrics } from './metrics/worker-metrics.ts';
import { openWorkerDeps } from './worker-deps.ts';

/** The default is a guess from the heap limit, far too high for a small machine (sdk-typescript#1843). */
const MAX_CACHED_WORKFLOWS = 300;
/** A cancellation reaches a step with its next heartbeat; the default would hold beats back for 80 % of the timeout. */
const HEARTBEAT_THROTTLE = '1 second';
const SHUTDOWN_GRACE = '5 seconds';
const SHUTDOWN_FORCE = '15 seconds';

async function work(config: WorkerConfig, logger: Logger): Promise<void> {
  Runtime.install({
    logger: new DefaultLogger('INFO', (entry) => logEntry(logger, entry)),
    shutdownSignals: ['SIGTERM', 'SIGINT'],
    telemetryOptions: sdkMetrics(config.temporalMetricsAddress),
  });
  const metrics = createWorkerMetrics();
  await migrate(config.databaseUrl);
  const connection = await NativeConnection.connect(config.temporal.connectionOptions);
  const open = openWorkerDeps(config, `${hostname()}/${process.pid}`, metrics.onXapiCall);
  const worker = await Worker.create({
    connection,
    namespace: config.temporal.namespace,
    taskQueue: config.taskQueue,
    workflowBundle: { codePath: bundlePath() },
    activities: createActivities(open.deps),
    interceptors: { activity: [metrics.activityInterceptor] },
    maxCachedWorkflows: MAX_CACHED_WORKFLOWS,
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
    shutdownGraceTime: SHUTDOWN_GRACE,
    shutdownForceTime: SHUTDOWN_FORCE,
  });
  const stopMetrics = await serveMetrics(metrics.registry, config.metrics, logger);
  process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid, taskQueue: config.taskQueue })}\n`);
  logger.info({ taskQueue: config.taskQueue, pools: config.pools.map((pool) => pool.id) }, 'ready');
  await worker.run();
  await stopMetrics();
  await open.close();
  await connection.close();
}

/** Names and units as Prometheus wants them; to change them later would break dashboards. */
function sdkMetrics(bindAddress: string | undefined): TelemetryOptions {
  if (bindAddress === undefined) return {};
  const units = { unitSuffix: true, countersTotalSuffix: true, useSecondsForDurations: true };
  return { metrics: { prometheus: { bindAddress, ...units } } };
}

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

function logEntry(logger: Logger, { level, message, meta }: LogEntry): void {
  logger[LEVELS[level]]({ ...meta }, message);
}

async function main(): Promise<void> {
  const logger = createLogger('worker');
  try {
    await work(loadWorkerConfig(process.env), logger);
  } catch (error) {
    if (error instanceof ConfigFaults) logger.fatal(error.message);
    else logger.fatal({ err: error }, 'The worker cannot go on.');
    process.exit(1);
  }
}

await main();
