import { fileURLToPath } from 'node:url';
import { Kysely, PostgresDialect } from 'kysely';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import { OperationFailure } from '../../domain/errors.ts';
import type { Tables } from './tables.ts';

export type Db = Kysely<Tables>;

export interface Database {
  readonly db: Db;
  close(): Promise<void>;
}

/** Connects lazily; every wait is bounded so that "the database is away" is known within seconds, not minutes. */
export function openDatabase(url: string, maxConnections = 10): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: maxConnections,
    connectionTimeoutMillis: 3_000,
    query_timeout: 10_000,
    keepAlive: true,
  });
  // An idle connection that dies (server restarted) is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => undefined);
  // The same for one that dies between two queries of a transaction: the next query tells.
  pool.on('connect', (client) => void client.on('error', () => undefined));
  const db: Db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  return { db, close: () => db.destroy() };
}

/** Brings the schema up to date; safe to run from several processes at once (advisory lock inside). */
export async function migrate(url: string): Promise<void> {
  await runner({
    databaseUrl: url,
    dir: fileURLToPath(new URL('migrations', import.meta.url)),
    direction: 'up',
    migrationsTable: 'schema_migrations',
    log: () => undefined,
  });
}

/** SQLSTATE classes: 08 connection, 57 operator intervention (shutdown, crash), 53 out of resources (too many connections). */
const AWAY_SQLSTATE = /^(08|57|53)/;
const AWAY_NODE_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'ENOTFOUND', 'EHOSTUNREACH']);
/** What pg says without any code when a connection ends under a query or cannot be had in time. */
const AWAY_WORDS =
  /connection terminated|is not queryable|timeout exceeded when trying to connect|query read timeout|client was closed/i;

/** Runs a query; "the server is away" becomes STORE_UNAVAILABLE, everything else is passed on as it is. */
export async function orStoreUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isAway(error)) throw error;
    throw new OperationFailure(
      'STORE_UNAVAILABLE',
      `PostgreSQL does not answer: ${wordsOf(error) || 'no connection'}`,
      {},
      { cause: error },
    );
  }
}

function isAway(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return AWAY_SQLSTATE.test(code) || AWAY_NODE_CODES.has(code) || AWAY_WORDS.test(wordsOf(error));
}

function wordsOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : '';
}
