import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';

/**
 * Serves `GET /metrics`, and nothing else, at an address of its own. Without one it serves
 * nothing. Answers what ends it.
 */
export async function serveMetrics(
  registry: Registry,
  address: { readonly host: string; readonly port: number } | undefined,
  logger: Logger,
): Promise<() => Promise<void>> {
  if (address === undefined) return () => Promise.resolve();
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end('Only GET /metrics is here.\n');
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'Content-Type': registry.contentType }).end(text),
      (error: unknown) => {
        logger.warn({ err: error }, 'metrics could not be collected');
        response.writeHead(503).end('The metrics cannot be collected now; the log says why.\n');
      },
    );
  });
  server.listen(address.port, address.host);
  await once(server, 'listening');
  return async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
}
