import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import pg from 'pg';
import { ensureSearchAttributes, withTemporal } from '../../bin/stack/temporal.ts';

/** The address of the run's Temporal server, `host:port`. */
export function testTemporalAddress(): string {
  return given('SWITCHBOARD_TEST_TEMPORAL_ADDRESS');
}

/**
 * Makes a namespace with our search attributes and waits until it can be used (about a second). It goes with the server.
 * @returns its name, made only once
 */
export async function createTestNamespace(): Promise<string> {
  const namespace = `test-${randomUUID()}`;
  await withTemporal({ address: testTemporalAddress() }, async (connection) => {
    const workflowExecutionRetentionPeriod = msToTs('1 day');
    await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod });
    await eventually(() => ensureSearchAttributes(connection, namespace));
    await eventually(() => listByOurAttributes(connection, namespace));
  });
  return namespace;
}

/** The server answers this only when it knows the namespace and its attributes everywhere. */
async function listByOurAttributes(connection: Connection, namespace: string): Promise<void> {
  const query = 'OpsOperation = "none" AND OpsWave = 0';
  await connection.workflowService.listWorkflowExecutions({ namespace, query, pageSize: 1 });
}

/** A new namespace is known to the parts of the server one after the other. */
async function eventually(use: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await use();
      return;
    } catch (error) {
      if (tries === 200) throw error;
      await delay(100);
    }
  }
}

/** A database of one test file. */
export interface TestDatabase {
  readonly url: string;
  /** Cuts what is still connected and removes the database. */
  drop(): Promise<void>;
}

/** Makes an empty database on the run's PostgreSQL; its role is a superuser. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await maintain(`CREATE DATABASE ${name}`);
  const url = new URL(given('SWITCHBOARD_TEST_DATABASE_URL'));
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => maintain(`DROP DATABASE ${name} WITH (FORCE)`) };
}

async function maintain(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: given('SWITCHBOARD_TEST_DATABASE_URL') });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function given(variable: string): string {
  const value = process.env[variable];
  if (value) return value;
  throw new Error(`${variable} is not set: this test runs under jest's global set-up (test/support/global-setup.ts).`);
}
