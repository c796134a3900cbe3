import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import ssh2 from 'ssh2';
import { generateHostKey } from '../../../adapters/ssh/host-key.ts';
import { probeHostKey, type ProbeAnswer } from '../../../adapters/ssh/probe.ts';

const ADDRESS = '127.0.0.1';
const hostKey = generateHostKey();
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

describe('the probe of a host key', () => {
  let attempts: string[];

  beforeEach(() => {
    attempts = [];
  });

  it('is content with the server that has the injected key', async () => {
    const port = await sshServer(hostKey.privateKey);
    await expect(probe(port)).resolves.toEqual({ answers: true });
  });

  it('never tries to log in', async () => {
    const port = await sshServer(hostKey.privateKey);
    await probe(port);
    expect(attempts).toEqual([]);
  });

  it('names both fingerprints when another key answers', async () => {
    const other = generateHostKey();
    const port = await sshServer(other.privateKey);
    await expect(probe(port)).rejects.toMatchObject({
      code: 'HOST_KEY_MISMATCH',
      message: expect.stringMatching(`${escape(other.fingerprint)}.*${escape(hostKey.fingerprint)}`),
      details: { object: `SSH server ${ADDRESS}:${port}` },
    });
  });

  it('takes no server that shows the public key without having the private one', async () => {
    const port = await sshServer(impostorKey());
    const answer = await probe(port);
    expect(answer).toEqual({ answers: false, why: expect.stringContaining('signature') });
  });

  it('takes no server that has only a key of another type', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' });
    const port = await sshServer(rsa.toString());
    await expect(probe(port)).resolves.toMatchObject({ answers: false });
  });

  it('leaves a refused connection for the step to judge', async () => {
    const listener = createServer();
    const port = await listen(listener);
    listener.close();
    await expect(probe(port)).resolves.toEqual({ answers: false, why: `connect ECONNREFUSED ${ADDRESS}:${port}` });
  });

  it('gives up on a server that never speaks, and closes its socket', async () => {
    const { port, sockets } = await silentServer();
    await expect(probe(port, { timeoutMs: 50 })).resolves.toMatchObject({ answers: false });
    await closed(sockets);
  });

  it('ends with the reason of the abort, and closes its socket', async () => {
    const { port, sockets, connected } = await silentServer();
    const abort = new AbortController();
    const probing = probe(port, { signal: abort.signal });
    await connected;
    abort.abort(new Error('run cancelled'));
    await expect(probing).rejects.toThrow('run cancelled');
    await closed(sockets);
  });

  it('does not even connect when it is aborted before', async () => {
    const { port, sockets } = await silentServer();
    await expect(probe(port, { signal: AbortSignal.abort(new Error('run cancelled')) })).rejects.toThrow(
      'run cancelled',
    );
    expect(sockets).toEqual([]);
  });

  it('leaves something that is no SSH server for the step to judge', async () => {
    const server = createServer((socket) => socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await expect(probe(await listen(server))).resolves.toMatchObject({ answers: false });
  });

  function sshServer(privateKey: string): Promise<number> {
    const server = new ssh2.Server({ hostKeys: [privateKey] }, (client) => {
      client.on('authentication', (context) => {
        attempts.push(context.method);
        context.reject();
      });
      client.on('error', () => undefined);
    });
    return listen(server);
  }
});

/** A private key that names the injected key as its public half and signs with another. */
function impostorKey(): string {
  const rawPublicKey = (publicKey: string) => Buffer.from(publicKey.split(' ')[1] ?? '', 'base64').subarray(-32);
  const impostor = generateHostKey();
  const lines = impostor.privateKey.trim().split('\n');
  const der = Buffer.from(lines.slice(1, -1).join(''), 'base64');
  const own = rawPublicKey(impostor.publicKey);
  for (let at = der.indexOf(own); at >= 0; at = der.indexOf(own)) der.set(rawPublicKey(hostKey.publicKey), at);
  return [lines[0], der.toString('base64'), lines.at(-1)].join('\n');
}

function probe(port: number, options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<ProbeAnswer> {
  const { timeoutMs = 10_000, signal = new AbortController().signal } = options;
  return probeHostKey({ address: ADDRESS, port, expectedPublicKey: hostKey.publicKey, timeoutMs, signal });
}

async function silentServer(): Promise<{ port: number; sockets: Socket[]; connected: Promise<unknown> }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.resume();
  });
  const connected = once(server, 'connection');
  return { port: await listen(server), sockets, connected };
}

async function listen(server: Server | ssh2.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, ADDRESS, resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the server is bound to no port');
  return bound.port;
}

async function closed(sockets: readonly Socket[]): Promise<void> {
  for (const socket of sockets) if (!socket.closed) await once(socket, 'close');
  expect(sockets.length).toBe(1);
}

function escape(text: string): string {
  return text.replace(/[+/]/g, (character) => `\\${character}`);
}
