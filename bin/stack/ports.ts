import { createServer } from 'node:net';
import { StackTrouble, codeOf } from './trouble.ts';

/** The fixed ports of a stack on 127.0.0.1: what each serves, the variable that sets it, its default. */
const portTable = {
  api: { serves: 'the API', variable: 'SWITCHBOARD_API_PORT', port: 8080 },
  temporal: { serves: 'Temporal', variable: 'SWITCHBOARD_TEMPORAL_PORT', port: 7233 },
  temporalUi: { serves: 'the Temporal UI', variable: 'SWITCHBOARD_TEMPORAL_UI_PORT', port: 8233 },
  postgres: { serves: 'PostgreSQL', variable: 'SWITCHBOARD_POSTGRES_PORT', port: 54329 },
  lab: { serves: "the lab's pool", variable: 'SWITCHBOARD_LAB_PORT', port: 8880 },
  labControl: { serves: "the lab's control", variable: 'SWITCHBOARD_LAB_CONTROL_PORT', port: 8881 },
} as const;

export type PortName = keyof typeof portTable;
export type Ports = Readonly<Record<PortName, number>>;

/** @throws StackTrouble when a variable holds something else than a port */
export function portsFrom(env: NodeJS.ProcessEnv): Ports {
  const of = (name: PortName) => {
    const { variable, port } = portTable[name];
    const text = env[variable] ?? String(port);
    const chosen = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    if (chosen >= 1 && chosen <= 65_535) return chosen;
    throw new StackTrouble(`${variable} is "${text}", which is no port: give a number from 1 to 65535, or unset it.`);
  };
  return {
    api: of('api'),
    temporal: of('temporal'),
    temporalUi: of('temporalUi'),
    postgres: of('postgres'),
    lab: of('lab'),
    labControl: of('labControl'),
  };
}

/**
 * @param names the ports that are going to be used
 * @throws StackTrouble for every one that is taken, in one sentence each
 */
export async function requireFreePorts(ports: Ports, names: readonly PortName[]): Promise<void> {
  const sentences: string[] = [];
  for (const name of names) {
    if (await isFree(ports[name])) continue;
    const { serves, variable } = portTable[name];
    sentences.push(
      `Port ${ports[name]} on 127.0.0.1, meant for ${serves}, is taken by another program: ` +
        `stop that program, or set ${variable} to a free port.`,
    );
  }
  if (sentences.length > 0) throw new StackTrouble(`${sentences.join('\n')}\nNothing was started.`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', (error) => (codeOf(error) === 'EADDRINUSE' ? resolve(false) : reject(error)));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** @returns a port of 127.0.0.1 that was free a moment ago */
export function anyFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
