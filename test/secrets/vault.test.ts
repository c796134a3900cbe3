import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { migrate, openDatabase } from '../../adapters/postgres/database.ts';
import { RunStore } from '../../adapters/postgres/run-store.ts';
import { Vault } from '../../adapters/postgres/vault.ts';
import { createTestDatabase } from '../support/stack.ts';
import type { TestDatabase } from '../support/stack.ts';
import { marked } from './installation.ts';
import { findSecrets } from './search.ts';

let server: TestDatabase;
let database: ReturnType<typeof openDatabase>;
beforeAll(async () => {
  server = await createTestDatabase();
  await migrate(server.url);
  database = openDatabase(server.url);
});
afterAll(async () => {
  await database.close();
  await server.drop();
});

const vault = new Vault(randomBytes(32));
const value = marked('sealed');

/** A run that was accepted with one secret, `userData`. */
async function acceptedRun(): Promise<string> {
  const id = randomUUID();
  const names = { operation: 'deploy-vm', summary: 'Deploy', resource: `vm/${id}`, workflowId: `deploy-vm/${id}` };
  const request = { requestedBy: 'tester', idempotencyKey: id, bodyHash: id };
  await new RunStore(database.db, vault).accept({ id, ...names, ...request, input: {}, secrets: { userData: value } });
  return id;
}

describe('a sealed secret', () => {
  it('is opened for its run and name, and cannot be read in its row', async () => {
    const id = await acceptedRun();
    expect(await vault.find(database.db, id, 'userData')).toBe(value);
    const rows = await database.db.selectFrom('run_secrets').selectAll().execute();
    expect(findSecrets({ value }, { rows: JSON.stringify(rows) })).toEqual([]);
  });

  it('looks different each time it is sealed', async () => {
    await acceptedRun();
    await acceptedRun();
    const rows = await database.db.selectFrom('run_secrets').select('ciphertext').execute();
    expect(new Set(rows.map(({ ciphertext }) => ciphertext.toString('hex'))).size).toBe(rows.length);
  });

  it('does not open under another key', async () => {
    const id = await acceptedRun();
    const stranger = new Vault(randomBytes(32));
    await expect(stranger.find(database.db, id, 'userData')).rejects.toMatchObject({ code: 'SECRET_GONE' });
  });

  it('does not open for another run or under another name', async () => {
    const [owner, thief] = [await acceptedRun(), await acceptedRun()];
    await database.db.deleteFrom('run_secrets').where('run_id', '=', thief).execute();
    await database.db.updateTable('run_secrets').set({ run_id: thief }).where('run_id', '=', owner).execute();
    await expect(vault.find(database.db, thief, 'userData')).rejects.toMatchObject({ code: 'SECRET_GONE' });
    await database.db
      .updateTable('run_secrets')
      .set({ run_id: owner, name: 'hostKey' })
      .where('run_id', '=', thief)
      .execute();
    await expect(vault.find(database.db, owner, 'hostKey')).rejects.toMatchObject({ code: 'SECRET_GONE' });
  });

  it('does not open when a single bit was changed', async () => {
    const id = await acceptedRun();
    const row = database.db.selectFrom('run_secrets').select('ciphertext').where('run_id', '=', id);
    const { ciphertext } = await row.executeTakeFirstOrThrow();
    ciphertext.writeUInt8(ciphertext.readUInt8(0) ^ 1, 0);
    await database.db.updateTable('run_secrets').set({ ciphertext }).where('run_id', '=', id).execute();
    await expect(vault.find(database.db, id, 'userData')).rejects.toMatchObject({ code: 'SECRET_GONE' });
  });
});
