import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { deployInput, postRun, send } from './support/requests.ts';
import { openApi, serveApi, TOKEN } from './support/rig.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/bin/tokens.js', import.meta.url));

const { rig, api } = await openApi();

describe('tokens', () => {
  const listWith = (token: string) => send(`${api}/v1/runs`, { headers: { authorization: `Bearer ${token}` } });
  const tokensProgram = (...args: string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const env = { PATH: process.env['PATH'], DATABASE_URL: rig.databaseUrl };
      execFile(process.execPath, [PROGRAM, ...args], { env }, (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
      );
    });

  it('are made, listed and revoked by the program, which shows a token once', async () => {
    const made = await tokensProgram('create', '--name', 'alice', '--role', 'operator', '--expires', '90d');
    const token = made.stdout.trim();
    expect(token).toMatch(/^swb_[\w-]{43}$/);
    expect((await listWith(token)).status).toBe(200);

    const listed = await tokensProgram('list');
    expect(listed.stdout).toMatch(/valid {5}operator {2}alice {2}created .* expires .* last used 2/);
    expect(listed.stdout).not.toContain(token);
    const id = listed.stdout.split(' ')[0] ?? '';
    expect(await tokensProgram('revoke', id)).toMatchObject({ code: 0 });
    expect((await listWith(token)).status).toBe(401);
    expect(await tokensProgram('revoke', id)).toMatchObject({ code: 1, stderr: expect.stringContaining('before') });
    expect((await tokensProgram('list')).stdout).toMatch(/revoked +operator +alice/);
  });

  it.each([
    ['no name', ['create', '--role', 'viewer']],
    ['no role', ['create', '--name', 'x']],
    ['an unknown role', ['create', '--name', 'x', '--role', 'root']],
    ['a name that would break a list', ['create', '--name', 'a\nb', '--role', 'viewer']],
    ['a lifetime without a unit', ['create', '--name', 'x', '--role', 'viewer', '--expires', '90']],
    ['an id that nobody has', ['revoke', '0198c0de-0000-7000-8000-000000000000']],
    ['an unknown verb', ['destroy']],
  ])('are not touched with %s', async (_what, args) => {
    const before = await rig.tokens.list();
    const { code, stderr } = await tokensProgram(...args);
    expect(code).toBe(1);
    expect(stderr).not.toBe('');
    expect(await rig.tokens.list()).toEqual(before);
  });

  it('are kept as their SHA-256 only', async () => {
    const { token } = await rig.tokens.create('dora', 'admin');
    const rows = await rig.db.selectFrom('tokens').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(token);
    for (const { digest } of rows) expect(digest).toHaveLength(32);
  });

  it('name who asked for a run, and one key of two people makes two runs', async () => {
    const { token } = await rig.tokens.create('erin', 'admin');
    const own = await postRun(api, 'deploy-vm', deployInput('quick-own'), 'same-key');
    const erins = await send(`${api}/v1/runs`, {
      method: 'POST',
      body: { operation: 'deploy-vm', input: deployInput('quick-erin') },
      headers: { 'idempotency-key': 'same-key', authorization: `Bearer ${token}` },
    });
    expect(own.body.run.requestedBy).toBe('operator');
    expect(erins).toMatchObject({ status: 202, body: { run: { requestedBy: 'erin' } } });
  });

  it('that are missing, unknown, expired or revoked get one and the same answer', async () => {
    const expired = await rig.tokens.create('frank', 'admin', new Date(Date.now() - 1_000));
    const revoked = await rig.tokens.create('grace', 'admin');
    await rig.tokens.revoke(revoked.id);
    const headers = [undefined, 'Bearer swb_nobody', `Bearer ${expired.token}`, `Bearer ${revoked.token}`];
    const answers = await Promise.all(
      headers.map((authorization) => send(`${api}/v1/runs`, { headers: { authorization } })),
    );
    const [first, ...others] = answers.map(({ status, body: { requestId, ...body } }) => ({ status, body }));
    expect(first?.status).toBe(401);
    for (const other of others) expect(other).toEqual(first);
  });

  it('taken over from a file stay revoked once they are', async () => {
    await rig.tokens.adopt('operator', 'admin', 'swb_of-the-file-0123456789');
    const [row] = await rig.tokens.list();
    await rig.tokens.revoke(row?.id ?? '');
    await rig.tokens.adopt('operator', 'admin', 'swb_of-the-file-0123456789');
    expect((await listWith('swb_of-the-file-0123456789')).status).toBe(401);
  });

  it('may be used so often per minute, each for itself', async () => {
    const limited = await serveApi(rig, { ratePerMinute: 3 });
    const ask = (token: string) => send(`${limited}/v1/runs`, { headers: { authorization: `Bearer ${token}` } });
    const statuses: number[] = [];
    for (let request = 0; request < 4; request += 1) statuses.push((await ask(TOKEN)).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    const refused = await ask(TOKEN);
    expect(refused.body).toMatchObject({ code: 'RATE_LIMITED', status: 429 });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('ratelimit')).toContain('r=0');
    const { token } = await rig.tokens.create('heidi', 'admin');
    expect((await ask(token)).status).toBe(200);
    expect((await send(`${limited}/healthz`)).status).toBe(200);
  });
});
