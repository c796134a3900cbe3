import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Part } from '../../../bin/stack/part.ts';
import { withTemporal } from '../../../bin/stack/temporal.ts';

/** The folder of the launcher with Temporal's own programs `server` and `sql`. */
function temporalPrograms(): string {
  const folder = process.env['SWITCHBOARD_TEMPORAL_SERVER_DIR'];
  if (folder) return folder;
  throw new Error('SWITCHBOARD_TEMPORAL_SERVER_DIR is not set: start these tests with `npm run test:release`.');
}

/** A folder for PATH in which the programs have the names that the container images give them. */
export function toolsFolder(folder: string): string {
  const tools = join(folder, 'tools');
  mkdirSync(tools);
  symlinkSync(join(temporalPrograms(), 'sql'), join(tools, 'temporal-sql-tool'));
  return tools;
}

const SERVICES = ['FRONTEND', 'MATCHING', 'HISTORY', 'WORKER'] as const;

/**
 * The production server, told by the variables of the compose file where it differs by nothing but the addresses.
 * @param variables of the service `temporal`
 */
export async function temporalServer(
  variables: Readonly<Record<string, string>>,
  place: { readonly port: number; readonly databasePort: number; readonly password: string; readonly config: string },
): Promise<Part> {
  const address = `127.0.0.1:${place.port}`;
  return {
    name: 'temporal',
    command: join(temporalPrograms(), 'server'),
    args: ['start'],
    env: {
      ...variables,
      ...(await ownPorts()),
      FRONTEND_GRPC_PORT: String(place.port),
      POSTGRES_SEEDS: '127.0.0.1',
      DB_PORT: String(place.databasePort),
      POSTGRES_PWD: place.password,
      BIND_ON_IP: '127.0.0.1',
      DYNAMIC_CONFIG_FILE_PATH: place.config,
    },
    probe: () =>
      withTemporal({ address }, async (connection) => {
        await connection.workflowService.listNamespaces({ pageSize: 1 });
      }),
    readyLimitMs: 120_000,
    stopSignal: 'SIGTERM',
    stopLimitMs: 30_000,
  };
}

async function ownPorts(): Promise<Record<string, string>> {
  const names = SERVICES.flatMap((service) => [`${service}_GRPC_PORT`, `${service}_MEMBERSHIP_PORT`]);
  const ports: Record<string, string> = {};
  for (const name of [...names, 'FRONTEND_HTTP_PORT']) ports[name] = String(await freeLowPort());
  return ports;
}

/** PostgreSQL keeps Temporal's membership ports in a smallint: they have to be below 32768, unlike those for the asking. */
async function freeLowPort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const server = createServer();
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    } catch {
      continue; // taken
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
