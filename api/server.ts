import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { once } from 'node:events';

export interface RunningServer {
  readonly url: string;
  /** Takes no new connection, lets requests at work end, and cuts what is still there after the limit. */
  drain(limitMs: number): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 30_000;
/** Keep-alive connections become idle one by one while their last requests end. */
const IDLE_CHECK_MS = 50;

/** Listens; port 0 takes a free one. Rejects when the port is taken or the host is not ours. */
export async function listen(app: RequestListener, address: { host: string; port: number }): Promise<RunningServer> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, app);
  server.listen(address.port, address.host);
  await once(server, 'listening');
  return { url: urlOf(server), drain: (limitMs) => drain(server, limitMs) };
}

async function drain(server: Server, limitMs: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  const cut = setTimeout(() => server.closeAllConnections(), limitMs);
  await closed;
  clearInterval(idle);
  clearTimeout(cut);
}

function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The API does not listen on a TCP port.');
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}
