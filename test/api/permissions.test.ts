import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { ENDPOINTS } from '../../api/endpoints.ts';
import { OPERATIONS } from '../../domain/operations.ts';
import { mayDo, rolesWith } from '../../domain/permissions.ts';
import type { Role } from '../../domain/permissions.ts';
import { acceptRun } from './support/accept-run.ts';
import { deployInput, send } from './support/requests.ts';
import type { Rig } from './support/rig.ts';
import { openRig, serveApi, startStandInWorker } from './support/rig.ts';

const NO_RUN = '0198c0de-0000-7000-8000-000000000000';

describe('the role of a token', () => {
  let rig: Rig;
  let api: string;
  const tokens = new Map<Role, string>();

  beforeAll(async () => {
    rig = await openRig();
    await startStandInWorker(rig);
    api = await serveApi(rig);
    for (const role of ['viewer', 'operator', 'admin'] as const) {
      tokens.set(role, (await rig.tokens.create(`a ${role}`, role)).token);
    }
  });

  afterAll(() => rig.close());

  const as = (role: Role, method: string, path: string, body?: object) =>
    send(api + path, {
      method,
      ...(body !== undefined && { body }),
      headers: { authorization: `Bearer ${tokens.get(role)}`, 'idempotency-key': randomUUID() },
    });
  const start = (role: Role, operation: string, name: string) =>
    as(role, 'POST', '/v1/runs', {
      operation,
      input: operation === 'deploy-vm' ? deployInput(name) : { pool: 'ams1', name },
    });
  const runs = async () => (await rig.db.selectFrom('runs').select('id').execute()).length;

  it('opens the routes that it permits, and no other, whatever they would answer', async () => {
    for (const { method, path, needs } of ENDPOINTS) {
      if (needs === 'nothing' || path.endsWith('/events')) continue;
      for (const role of ['viewer', 'operator', 'admin'] as const) {
        const { status } = await as(role, method.toUpperCase(), path.replace('{id}', NO_RUN));
        expect({ path, role, refused: status === 403 }).toEqual({ path, role, refused: !mayDo(role, needs) });
      }
    }
  });

  it.each(OPERATIONS.map(({ name, permission }) => [name, permission] as const))(
    'starts %s only where it permits %s, says what is missing, and writes nothing down otherwise',
    async (name, permission) => {
      for (const role of ['viewer', 'operator', 'admin'] as const) {
        const before = await runs();
        const answer = await start(role, name, `quick-${role}-${name}`);
        if (mayDo(role, permission)) expect(answer.status).toBe(202);
        else {
          expect(answer).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
          expect(answer.body.detail).toContain(`its role is ${role}`);
          expect(answer.body.hint).toContain(rolesWith(permission).join(' or '));
        }
        expect(await runs()).toBe(before + (mayDo(role, permission) ? 1 : 0));
      }
    },
  );

  it('lets nobody act on a run whose operation it may not start, and everybody look at it', async () => {
    const run = await acceptRun(rig, 'delete-vm', 'slow-precious');
    for (const verb of ['cancel', 'retry', 'skip']) {
      const body = verb === 'skip' ? { reason: 'why not' } : {};
      const answer = await as('operator', 'POST', `/v1/runs/${run.id}/${verb}`, body);
      expect(answer).toMatchObject({ status: 403, body: { missingPermission: 'run-destructive' } });
      expect((await as('admin', 'POST', `/v1/runs/${run.id}/${verb}`, body)).status).not.toBe(403);
    }
    expect((await as('viewer', 'GET', `/v1/runs/${run.id}`)).status).toBe(200);
    const own = await start('operator', 'deploy-vm', 'slow-own');
    expect((await as('operator', 'POST', `/v1/runs/${own.body.run.id}/cancel`)).status).toBe(200);
  });

  it('is the least for a token that a program of before there were roles makes', async () => {
    const row = sql`${randomUUID()}, 'made by an earlier program', 'its digest'`;
    await sql`insert into tokens (id, name, digest) values (${row})`.execute(rig.db);
    const made = (await rig.tokens.list()).find(({ name }) => name === 'made by an earlier program');
    expect(made).toMatchObject({ role: 'viewer' });
  });
});
