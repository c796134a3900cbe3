import { describe, expect, it } from '@jest/globals';
import { deployInput, postRun, send } from './support/requests.ts';
import { openApi } from './support/rig.ts';

const { api } = await openApi();

describe('requests that are refused', () => {
  const noRuns = async () => expect((await send(`${api}/v1/runs`)).body.runs).toEqual([]);
  const post = (body: unknown, headers: Record<string, string | undefined> = {}) =>
    send(`${api}/v1/runs`, { method: 'POST', body, headers: { 'idempotency-key': 'k', ...headers } });
  const good = { operation: 'deploy-vm', input: deployInput('web-01') };

  it('names every fault of the input by its pointer and starts nothing', async () => {
    const answer = await postRun(api, 'deploy-vm', {
      ...deployInput('web-01'),
      vcpus: 65,
      memoryMiB: '2048',
      disks: [{ name: 'data', sizeGiB: 4096 }],
      'a/b~c': 1,
    });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ type: '/problems/INVALID_INPUT', status: 400, code: 'INVALID_INPUT' });
    expect(answer.body.requestId).toBe(answer.headers.get('x-request-id'));
    const pointers = answer.body.errors?.map(({ pointer }) => pointer);
    expect(pointers?.toSorted()).toEqual([
      '/input/a~1b~0c',
      '/input/disks/0/sizeGiB',
      '/input/memoryMiB',
      '/input/vcpus',
    ]);
    await noRuns();
  });

  it.each([
    ['no body', undefined, ['']],
    ['an unknown operation', { operation: 'reboot-everything', input: {} }, ['/operation']],
    ['no input', { operation: 'deploy-vm' }, ['/input']],
    ['a field beside operation and input', { ...good, priority: 1 }, ['/priority']],
    [
      'a secretsId that is not for clients',
      { ...good, input: { ...good.input, secretsId: 'x' } },
      ['/input/secretsId'],
    ],
    ['NUL in free text', withKey('ssh-ed25519 AAAA a\0b'), ['/input/sshAuthorizedKeys/0']],
    ['half a character in free text', withKey('ssh-ed25519 AAAA a\ud800b'), ['/input/sshAuthorizedKeys/0']],
  ])('refuses %s', async (_what, body, pointers) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors?.map(({ pointer }) => pointer)).toEqual(pointers);
    await noRuns();
  });

  it.each(['{"operation": "deploy-vm", "input"', '"text"', '{"__proto__": {"operation": "deploy-vm"}}'])(
    'refuses the body %s',
    async (text) => {
      expect((await post(text)).status).toBe(400);
      await noRuns();
    },
  );

  it.each([undefined, 'two words', 'x'.repeat(201)])('refuses the Idempotency-Key %s', async (key) => {
    const answer = await post(good, { 'idempotency-key': key });
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toMatchObject([{ parameter: 'Idempotency-Key' }]);
    await noRuns();
  });

  it('answers every request without a valid token alike, whether its object exists or not', async () => {
    const tokens = [undefined, 'Bearer', 'Bearer wrong', 'Basic b3BlcmF0b3I6', `Bearer ${'x'.repeat(5_000)}`];
    const paths = ['/v1/runs', '/v1/runs/0198c0de-0000-7000-8000-000000000000', '/v1/nothing'];
    for (const authorization of tokens) {
      for (const path of paths) {
        const answer = await send(`${api}${path}`, { headers: { authorization } });
        expect(answer.status).toBe(401);
        expect(answer.headers.get('www-authenticate')).toBe('Bearer');
        expect(answer.body).toMatchObject({ code: 'UNAUTHENTICATED', detail: 'The request carries no valid token.' });
      }
    }
  });

  it.each(['0198c0de-0000-7000-8000-000000000000', 'no-uuid', "'; drop table runs"])('knows no run %s', async (id) => {
    const path = `${api}/v1/runs/${encodeURIComponent(id)}`;
    expect(await send(path)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    expect(await send(`${path}/cancel`, { method: 'POST' })).toMatchObject({ status: 404 });
  });

  it.each([
    ['/nothing', 'GET', 404, null],
    ['/v1/nothing', 'GET', 404, null],
    ['/v1/runs', 'DELETE', 405, 'GET, HEAD, POST'],
    ['/v1/runs/x', 'PUT', 405, 'GET, HEAD'],
    ['/v1/runs/x/cancel', 'GET', 405, 'POST'],
    ['/healthz', 'POST', 405, 'GET, HEAD'],
    ['/v1/runs/%E0%A4%A', 'GET', 400, null],
  ])('answers %s %s with %d', async (path, method, status, allow) => {
    const answer = await send(`${api}${path}`, { method });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('allow')).toBe(allow);
  });

  it.each([
    'state=done',
    'limit=0',
    'limit=201',
    'limit=x',
    'cursor=1',
    'operation=none',
    'sort=name',
    'state=running&state=paused',
  ])('refuses the list query %s and names the parameter', async (query) => {
    const answer = await send(`${api}/v1/runs?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.body.errors?.[0]?.parameter).toBe(query.split('=')[0]);
  });

  it('refuses bodies over 256 KiB, other types and other encodings', async () => {
    expect((await post({ ...good, filler: 'x'.repeat(256 * 1024) })).status).toBe(413);
    expect((await post('<run/>', { 'content-type': 'text/xml' })).status).toBe(415);
    expect((await post('{}', { 'content-encoding': 'compress' })).status).toBe(415);
    expect((await post('{}', { 'content-type': 'application/json; charset=latin1' })).status).toBe(415);
    await noRuns();
  });

  it('tells nobody what it is made of', async () => {
    const { headers } = await send(`${api}/healthz`);
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
  });
});

function withKey(key: string) {
  return { operation: 'deploy-vm', input: { ...deployInput('web-01'), sshAuthorizedKeys: [key] } };
}
