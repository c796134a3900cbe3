/**
 * The migration job: brings our database to this version's schema and sees that Temporal has our namespace with our
 * search attributes. Safe to repeat; it changes nothing that is already there. DATABASE_URL and TEMPORAL_* say where.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import { isGrpcServiceError } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { migrate } from '../adapters/postgres/database.ts';
import { loadTemporalSettings } from '../adapters/temporal/connect.ts';
import { createLogger } from './logger.ts';
import { ensureSearchAttributes, withTemporal } from './stack/temporal.ts';

const GRPC_ALREADY_EXISTS = 6;
/** The parts of a Temporal server learn of a new namespace one after the other, within seconds. */
const NAMESPACE_PAUSE_MS = 500;
const NAMESPACE_TRIES = 120;

/** Closed workflows stay readable for 30 days in a namespace that we make; one that is there keeps its retention. */
async function ensureNamespace(connection: Connection, namespace: string): Promise<void> {
  const workflowExecutionRetentionPeriod = msToTs('30 days');
  try {
    await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod });
  } catch (error) {
    if (!isGrpcServiceError(error)) throw error;
    const code: number = error.code;
    if (code !== GRPC_ALREADY_EXISTS) throw error;
  }
}

async function prepareTemporal(connection: Connection, namespace: string): Promise<void> {
  await ensureNamespace(connection, namespace);
  for (let tries = 1; ; tries += 1) {
    try {
      await ensureSearchAttributes(connection, namespace);
      const query = 'OpsOperation = "none" AND OpsWave = 0';
      await connection.workflowService.listWorkflowExecutions({ namespace, query, pageSize: 1 });
      return;
    } catch (error) {
      if (tries === NAMESPACE_TRIES || !isGrpcServiceError(error)) throw error;
      await sleep(NAMESPACE_PAUSE_MS);
    }
  }
}

async function main(): Promise<void> {
  const logger = createLogger('migrate');
  const databaseUrl = process.env['DATABASE_URL'];
  let at = 'reading DATABASE_URL';
  try {
    if (!databaseUrl) throw new Error('DATABASE_URL is not set: postgresql://user:password@host:port/database');
    at = 'PostgreSQL, the schema of our database';
    await migrate(databaseUrl);
    const { connectionOptions, namespace = 'default' } = loadTemporalSettings(process.env);
    at = `Temporal at ${connectionOptions.address}, namespace ${namespace}`;
    await withTemporal(connectionOptions, (connection) => prepareTemporal(connection, namespace));
    logger.info({ namespace }, 'the database and the namespace are as this version needs them');
  } catch (error) {
    logger.fatal({ err: error }, `Not finished at: ${at}. What is done stays; cure the cause and run it again.`);
    process.exitCode = 1;
  }
}

await main();
