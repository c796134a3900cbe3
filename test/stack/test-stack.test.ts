import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { withTemporal } from '../../bin/stack/temporal.ts';
import { type TestDatabase, createTestDatabase, createTestNamespace, testTemporalAddress } from '../support/stack.ts';

describe('the test stack', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterAll(async () => {
    await database.drop();
  });

  it('gives a namespace that can be searched by the attributes of an operation', async () => {
    const namespace = await createTestNamespace();
    const query = 'OpsPool = "ams1" AND OpsWave > 1';
    const found = await withTemporal({ address: testTemporalAddress() }, (connection) =>
      connection.workflowService.listWorkflowExecutions({ namespace, query }),
    );
    expect(found.executions).toEqual([]);
  });

  it('gives an empty PostgreSQL database of its own to each who asks', async () => {
    const other = await createTestDatabase();
    const client = new pg.Client({ connectionString: other.url });
    await client.connect();
    try {
      await client.query('CREATE TABLE only_here (id int)');
    } finally {
      await client.end();
      await other.drop();
    }
    expect(other.url).not.toBe(database.url);
    await expect(new pg.Client({ connectionString: other.url }).connect()).rejects.toThrow('does not exist');
  });
});
