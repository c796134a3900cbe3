import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { listen } from '../../api/server.ts';

const ANY = { host: '127.0.0.1', port: 0 };

describe('the server', () => {
  it('lets a request at work end while it drains, and takes no new one', async () => {
    const work = new EventTarget();
    const server = await listen((_request, response) => {
      work.addEventListener('finish', () => response.end('done'));
      work.dispatchEvent(new Event('begun'));
    }, ANY);
    const begun = once(work, 'begun');
    const answer = fetch(server.url).then((response) => response.text());
    await begun;
    const drained = server.drain(60_000);
    await expect(fetch(server.url)).rejects.toThrow();
    work.dispatchEvent(new Event('finish'));
    expect(await answer).toBe('done');
    await drained;
  });

  it('cuts a request that does not end within the limit', async () => {
    const server = await listen(() => undefined, ANY);
    const answer = fetch(server.url).then(
      () => 'answered',
      () => 'cut',
    );
    await server.drain(100);
    expect(await answer).toBe('cut');
  });

  it('refuses a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(listen(() => undefined, { ...ANY, port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    other.close();
  });
});
