import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import pg from 'pg';
import type { Site } from '../support/site.ts';
import { decoded } from './search.ts';

/** What people can read, by where. */
export type Texts = Record<string, string>;

/** The histories of all runs, and all rows of all tables, as text. */
export async function everythingKept(site: Site): Promise<Texts> {
  return { ...(await histories(site)), ...(await tables(site.databaseUrl)) };
}

async function histories(site: Site): Promise<Texts> {
  const found: Texts = {};
  for (const { workflowId, id } of await site.store.list({ limit: 100, order: 'newest' })) {
    const history = await site.temporal.workflow.getHandle(workflowId).fetchHistory();
    found[`history of ${id}`] = decoded(historyToJSON(history));
  }
  return found;
}

async function tables(url: string): Promise<Texts> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ name: string }>(
    "select table_name as name from information_schema.tables where table_schema = 'public'",
  );
  const found: Texts = {};
  for (const { name } of rows) {
    const { rows: all } = await client.query<{ row: string }>(`select t::text as row from "${name}" t`);
    found[`table ${name}`] = all.map(({ row }) => row).join('\n');
  }
  await client.end();
  return found;
}

/** What Temporal's page shows of a run under way and its history does not hold: steps at work, heartbeats, details. */
export async function shownByTemporal(site: Site, workflowId: string): Promise<string> {
  const handle = site.temporal.workflow.getHandle(workflowId);
  const [{ raw }, metadata] = await Promise.all([handle.describe(), handle.query('__temporal_workflow_metadata')]);
  return JSON.stringify({ raw, metadata }, (_key, value: unknown) =>
    ArrayBuffer.isView(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8') : value,
  );
}
