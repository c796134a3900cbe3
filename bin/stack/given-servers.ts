import { loadClientConnectConfig } from '@temporalio/envconfig';
import pg from 'pg';
import { ensureSearchAttributes, withTemporal } from './temporal.ts';
import { StackTrouble, reasonOf } from './trouble.ts';

/** @throws StackTrouble when the database server that was given does not let us in */
export async function requireDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined); // a connection cut during the query fails the query as well
  try {
    await client.connect();
    await client.query('SELECT 1');
  } catch (error) {
    throw new StackTrouble(
      `The database of DATABASE_URL (${client.host}:${client.port}, database ${client.database}) does not answer: ` +
        `${reasonOf(error)}. Nothing was started. Correct DATABASE_URL, or unset it to use the embedded PostgreSQL.`,
    );
  } finally {
    await client.end();
  }
}

/**
 * Adds our search attributes on a Temporal server that was given, and changes nothing else there.
 * @throws StackTrouble when it does not answer, has no such namespace or does not allow it
 */
export async function requireTemporal(address: string, namespace: string): Promise<void> {
  try {
    const { connectionOptions } = loadClientConnectConfig();
    await withTemporal(connectionOptions, (connection) => ensureSearchAttributes(connection, namespace));
  } catch (error) {
    if (error instanceof StackTrouble) throw error;
    throw new StackTrouble(
      `The Temporal server of TEMPORAL_ADDRESS (${address}, namespace ${namespace}) cannot be used: ${reasonOf(error)}. ` +
        'Correct the TEMPORAL_ variables, or unset TEMPORAL_ADDRESS to use a server of our own.',
    );
  }
}
