import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startTcpProxy, type TcpProxy } from '../../lab/tcp-proxy.ts';

let server: Server;
let proxy: TcpProxy;
let received: string[];
let serverSockets: Set<Socket>;
let clients: Socket[];

beforeEach(async () => {
  [received, serverSockets, clients] = [[], new Set(), []];
  server = createServer((socket) => {
    serverSockets.add(socket);
    socket.on('data', (data) => {
      received.push(data.toString());
      socket.write(`echo ${data.toString()}`);
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      serverSockets.delete(socket);
      server.emit('socket-closed');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await startTcpProxy({ targetHost: '127.0.0.1', targetPort: (server.address() as AddressInfo).port });
});

afterEach(async () => {
  await proxy.close();
  for (const socket of [...clients, ...serverSockets]) socket.destroy();
  server.close();
});

async function client(): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: proxy.port });
  clients.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** The reply to one request, or the code of the error that the connection ended with. */
function ask(socket: Socket, request: string): Promise<string> {
  const reply = new Promise<string>((resolve) => {
    socket.once('data', (data) => resolve(data.toString()));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  socket.write(request);
  return reply;
}

/** A client, and the two sockets that the proxy has for it. */
async function clientWithSockets() {
  const made: Socket[] = [];
  const note = (message: unknown) => made.push((message as { readonly socket: Socket }).socket);
  const channels = ['net.server.socket', 'net.client.socket'];
  for (const channel of channels) subscribe(channel, note);
  const socket = await client();
  await ask(socket, 'hello');
  for (const channel of channels) unsubscribe(channel, note);
  const accepted = made.find(({ localPort }) => localPort === proxy.port);
  const onward = made.find(({ remotePort }) => remotePort === (server.address() as AddressInfo).port);
  if (!accepted || !onward) throw new Error('the proxy has no sockets for the client');
  return { socket, accepted, onward };
}

async function serverSocketsClosed(): Promise<void> {
  while (serverSockets.size > 0) await once(server, 'socket-closed');
}

describe('the TCP proxy', () => {
  it('passes bytes on in both directions', async () => {
    expect(await ask(await client(), 'hello')).toBe('echo hello');
  });

  it('passes on more than fits into any buffer, unchanged', async () => {
    const socket = await client();
    let echoed = '';
    socket.on('data', (data) => (echoed += data.toString().replaceAll('echo ', '')));
    const closed = once(socket, 'close');
    const sent = 'x'.repeat(4 * 1024 * 1024);
    socket.end(sent);
    await closed;
    expect(echoed.length).toBe(sent.length);
  });

  it('passes the end of a stream on', async () => {
    const socket = await client();
    await ask(socket, 'hello');
    socket.end();
    await serverSocketsClosed();
  });

  it('resets the server side when the client resets its own', async () => {
    const socket = await client();
    await ask(socket, 'hello');
    socket.resetAndDestroy();
    await serverSocketsClosed();
  });

  it('resets the client when the server cannot be reached', async () => {
    const unreachable = await startTcpProxy({ targetHost: '127.0.0.1', targetPort: proxy.port });
    await proxy.down();
    const socket = connect({ host: '127.0.0.1', port: unreachable.port });
    await expect(once(socket, 'data')).rejects.toThrow('ECONNRESET');
    await unreachable.close();
  });
});

describe('a planned fault', () => {
  it('"refuse" ends a new connection and spares the next', async () => {
    const fault = proxy.plan({ kind: 'refuse' });
    const refused = connect({ host: '127.0.0.1', port: proxy.port });
    await expect(once(refused, 'data')).rejects.toThrow('ECONNRESET');
    expect(fault.fired).toBe(1);
    expect(await ask(await client(), 'hello')).toBe('echo hello');
  });

  it('"cut-before" ends the connection before the server sees the request', async () => {
    const fault = proxy.plan({ kind: 'cut-before', match: (chunk) => chunk.includes('COMMIT') });
    const socket = await client();
    expect(await ask(socket, 'BEGIN')).toBe('echo BEGIN');
    expect(await ask(socket, 'COMMIT')).toBe('ECONNRESET');
    await serverSocketsClosed();
    expect(received).toEqual(['BEGIN']);
    expect(fault.fired).toBe(1);
  });

  it('"cut-after-request" ends the connection after the server did its work, and the reply is lost', async () => {
    const fault = proxy.plan({ kind: 'cut-after-request', match: (chunk) => chunk.includes('COMMIT') });
    const socket = await client();
    expect(await ask(socket, 'BEGIN')).toBe('echo BEGIN');
    expect(await ask(socket, 'COMMIT')).toBe('ECONNRESET');
    await serverSocketsClosed();
    expect(received).toEqual(['BEGIN', 'COMMIT']);
    expect(fault.fired).toBe(1);
  });

  it('"delay" holds a request back, and what follows stays behind it', async () => {
    const fault = proxy.plan({ kind: 'delay', delayMs: 20, match: (chunk) => chunk.includes('slow') });
    const socket = await client();
    socket.write('slow');
    await once(socket, 'data');
    expect(await ask(socket, 'fast')).toBe('echo fast');
    expect(received).toEqual(['slow', 'fast']);
    expect(fault.fired).toBe(1);
  });

  it('"half-open" swallows everything and leaves both sides connected', async () => {
    const fault = proxy.plan({ kind: 'half-open', match: (chunk) => chunk.includes('gone') });
    const socket = await client();
    expect(await ask(socket, 'hello')).toBe('echo hello');
    const answer = ask(socket, 'gone');
    for (const serverSocket of serverSockets) serverSocket.write('unheard');
    expect(await ask(await client(), 'other connections work')).toBe('echo other connections work');
    expect(received).not.toContain('gone');
    expect([socket.readyState, serverSockets.size, fault.fired]).toEqual(['open', 2, 1]);
    proxy.cutAll();
    expect(await answer).toBe('ECONNRESET');
    await serverSocketsClosed();
  });

  it('happens on the n-th occasion, as often as planned, whatever the connection', async () => {
    const fault = proxy.plan({ kind: 'cut-before', nth: 2, times: 2, match: (chunk) => chunk.includes('go') });
    const answers: string[] = [];
    for (const request of ['go', 'other', 'go', 'go', 'go']) answers.push(await ask(await client(), request));
    expect(answers).toEqual(['echo go', 'echo other', 'ECONNRESET', 'ECONNRESET', 'echo go']);
    expect(fault.fired).toBe(2);
  });

  it('gives way to an older one that is due on the same bytes', async () => {
    const older = proxy.plan({ kind: 'cut-before' });
    const younger = proxy.plan({ kind: 'delay', delayMs: 1 });
    expect(await ask(await client(), 'hello')).toBe('ECONNRESET');
    expect([older.fired, younger.fired]).toEqual([1, 0]);
    expect(await ask(await client(), 'hello')).toBe('echo hello');
    expect([older.fired, younger.fired]).toEqual([1, 1]);
  });
});

describe('switching the proxy off', () => {
  it('"cutAll" ends what is open and lets new connections in', async () => {
    const socket = await client();
    await ask(socket, 'hello');
    const ended = once(socket, 'data');
    proxy.cutAll();
    await expect(ended).rejects.toThrow('ECONNRESET');
    expect(await ask(await client(), 'again')).toBe('echo again');
  });

  it('"down" ends what is open and refuses the rest, "up" serves again on the same port', async () => {
    const { port } = proxy;
    const socket = await client();
    await ask(socket, 'hello');
    const ended = once(socket, 'data');
    await proxy.down();
    await expect(ended).rejects.toThrow('ECONNRESET');
    await expect(client()).rejects.toThrow('ECONNREFUSED');
    await proxy.up();
    expect(proxy.port).toBe(port);
    expect(await ask(await client(), 'again')).toBe('echo again');
  });

  it('may be done twice', async () => {
    await proxy.down();
    await proxy.down();
    await proxy.up();
    await proxy.up();
    expect(await ask(await client(), 'hello')).toBe('echo hello');
  });

  it('"close" leaves no socket, black holes included', async () => {
    proxy.plan({ kind: 'half-open' });
    const socket = await client();
    const answer = ask(socket, 'gone');
    while (serverSockets.size === 0) await once(server, 'connection');
    await proxy.close();
    expect(await answer).toBe('ECONNRESET');
    await serverSocketsClosed();
  });

  it('"close" ends a connection whose end is just being passed on', async () => {
    const { socket, accepted, onward } = await clientWithSockets();
    const closed = new Promise<void>((resolve, reject) => {
      // Passed on, and not yet taken by the kernel: the moment at which a socket cannot be reset.
      const closeOncePassedOn = () => {
        if (onward.writableEnded) proxy.close().then(resolve, reject);
        else process.nextTick(closeOncePassedOn);
      };
      accepted.once('end', closeOncePassedOn);
    });
    socket.end();
    await closed;
    await serverSocketsClosed();
  });
});
