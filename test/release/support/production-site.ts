import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { writePoolsFile } from '../../../bin/stack/lab-pools.ts';
import type { Part } from '../../../bin/stack/part.ts';
import { anyFreePort } from '../../../bin/stack/ports.ts';
import { openStateFolder } from '../../../bin/stack/state-folder.ts';
import { Supervisor } from '../../../bin/stack/supervisor.ts';
import { StackTrouble } from '../../../bin/stack/trouble.ts';
import type { Lab } from '../../../lab/lab.ts';
import { startLab } from '../../../lab/lab.ts';
import { readCompose } from '../../production/compose-file.ts';
import { ApiCaller } from './api-caller.ts';
import { debianPrograms, postgresServer } from './postgres-server.ts';
import { temporalServer, toolsFolder } from './temporal-server.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

export type PartName = 'postgres' | 'temporal' | 'worker-1' | 'worker-2' | 'api-1' | 'api-2';

/** What docker-compose.yml describes, from programs: PostgreSQL, Temporal's server, two workers, two API processes. */
export interface ProductionSite {
  readonly lab: Lab;
  readonly api: ApiCaller;
  readonly folder: string;
  readonly postgresPort: number;
  readonly postgresPassword: string;
  /** Ends a part by a signal; the supervisor starts it again, as the restart policy of the compose file does. */
  restart(part: PartName, signal: NodeJS.Signals): Promise<void>;
  /** Stops all but PostgreSQL, has the work done, and starts all again. */
  whileProgramsAreStopped(work: () => void): Promise<void>;
  /** Stops everything, the last started first, and removes it. */
  stop(): Promise<void>;
}

/** Every death here is meant; a part is never given up. */
const RESTART = { firstPauseMs: 200, longestPauseMs: 1_000, quickDeathMs: 1, quickDeathLimit: 1_000 };

export async function startProductionSite(): Promise<ProductionSite> {
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-release-'));
  chmodSync(folder, 0o711); // the user of PostgreSQL has to reach its part of it
  const secrets = join(folder, 'secrets');
  execFileSync(join(root, 'deploy/make-secrets.sh'), [secrets], { stdio: 'pipe' });
  const lab = await startLab();
  const database = await Supervisor.open(openStateFolder(join(folder, 'database')), () => undefined, RESTART);
  let programs: Supervisor | undefined;
  const stop = async () => {
    await programs?.stop();
    await database.stop();
    await lab.close();
    rmSync(folder, { recursive: true });
  };
  try {
    const stateDir = openStateFolder(join(folder, 'programs'));
    const servers = await prepareServers({ supervisor: database, folder, secrets });
    const environment = programEnvironment({ ...servers, secrets, config: writePoolsFile(stateDir, readyOf(lab)) });
    const apis = await apiParts(environment);
    const parts = [...workerParts(environment), ...apis.parts];
    const startPrograms = async () => {
      programs = await Supervisor.open(stateDir, () => undefined, RESTART);
      await programs.start(servers.temporal);
      runScript('deploy/run-with-database.sh', environment, ['dist/bin/migrate.js']);
      for (const part of parts) await programs.start(part);
    };
    await startPrograms();
    return {
      ...{ lab, folder, postgresPort: servers.postgresPort, postgresPassword: servers.postgresPassword, stop },
      api: new ApiCaller(apis.urls, readFileSync(join(secrets, 'api_token'), 'utf8').trim()),
      restart: (part, signal) => restartPart(part === 'postgres' ? database : programs, part, signal),
      whileProgramsAreStopped: async (work) => {
        await programs?.stop();
        work();
        await startPrograms();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Servers {
  readonly temporal: Part;
  readonly postgresPort: number;
  readonly postgresPassword: string;
  readonly temporalPort: number;
}

/** PostgreSQL, then the one-shot jobs in the order of the compose file, each run twice since each may be. */
async function prepareServers(at: { supervisor: Supervisor; folder: string; secrets: string }): Promise<Servers> {
  const secret = (name: string) => readFileSync(join(at.secrets, name), 'utf8').trim();
  const services = readCompose(root).services;
  const [postgresPort, temporalPort] = [await anyFreePort(), await anyFreePort()];
  const postgresPassword = secret('postgres_password');
  await at.supervisor.start(postgresServer(at.folder, postgresPort, postgresPassword));
  const PATH = `${toolsFolder(at.folder)}:${debianPrograms()}:${process.env['PATH'] ?? ''}`;
  const place = { PATH, SECRETS_DIR: at.secrets };
  const databases = { PGHOST: '127.0.0.1', PGPORT: String(postgresPort) };
  const schema = { SQL_HOST: '127.0.0.1', SQL_PORT: String(postgresPort) };
  for (let times = 0; times < 2; times += 1) {
    runScript('deploy/create-databases.sh', { ...services['databases']?.environment, ...place, ...databases });
    runScript('deploy/setup-temporal-schema.sh', { ...services['temporal-schema']?.environment, ...place, ...schema });
  }
  const config = join(root, 'deploy/temporal-dynamic-config.yaml');
  const where = { port: temporalPort, databasePort: postgresPort, password: secret('temporal_password'), config };
  const temporal = await temporalServer(services['temporal']?.environment ?? {}, where);
  return { temporal, postgresPort, postgresPassword, temporalPort };
}

function programEnvironment(at: Servers & { secrets: string; config: string }): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    ...readCompose(root).services['migrate']?.environment,
    DATABASE_SERVER: `127.0.0.1:${at.postgresPort}`,
    TEMPORAL_ADDRESS: `127.0.0.1:${at.temporalPort}`,
    SECRETS_DIR: at.secrets,
    SWITCHBOARD_CONFIG: at.config,
    SWITCHBOARD_SECRETS_KEY_FILE: join(at.secrets, 'secrets_key'),
    SWITCHBOARD_TOKEN_FILE: join(at.secrets, 'api_token'),
  };
}

function workerParts(environment: NodeJS.ProcessEnv): Part[] {
  return ['worker-1', 'worker-2'].map((name) => program(name, 'worker', environment));
}

async function apiParts(environment: NodeJS.ProcessEnv): Promise<{ parts: Part[]; urls: string[] }> {
  const ports = [await anyFreePort(), await anyFreePort()];
  return {
    parts: ports.map((port, index) =>
      program(`api-${index + 1}`, 'api', { ...environment, SWITCHBOARD_API_PORT: String(port) }),
    ),
    urls: ports.map((port) => `http://127.0.0.1:${port}`),
  };
}

function program(name: string, file: string, env: NodeJS.ProcessEnv): Part {
  return {
    name,
    command: join(root, 'deploy/run-with-database.sh'),
    args: [`dist/bin/${file}.js`],
    cwd: root,
    env,
    readyLimitMs: 60_000,
    stopSignal: 'SIGTERM',
    stopLimitMs: 30_000,
  };
}

/** Back means with another pid; whether it is ready is for its users to find out, as in life. */
async function restartPart(supervisor: Supervisor | undefined, part: PartName, signal: NodeJS.Signals): Promise<void> {
  const pid = await livingPid(supervisor, part, undefined);
  process.kill(pid, signal);
  await livingPid(supervisor, part, pid);
}

async function livingPid(supervisor: Supervisor | undefined, part: PartName, not: number | undefined): Promise<number> {
  for (;;) {
    try {
      const pid = supervisor?.pid(part);
      if (pid !== undefined && pid !== not) return pid;
    } catch (error) {
      if (!(error instanceof StackTrouble)) throw error; // down at this moment
    }
    await sleep(50);
  }
}

function runScript(path: string, env: NodeJS.ProcessEnv, args: readonly string[] = []): void {
  execFileSync(join(root, path), args, { cwd: root, env, stdio: 'pipe' });
}

/** The lab runs in the process of the test; its ready line is what the lab's own program would print. */
function readyOf(lab: Lab) {
  return {
    controlUrl: 'http://127.0.0.1:1',
    pools: lab.pools.map((pool) => ({ ...pool, hostAddresses: [...pool.hostAddresses] })),
  };
}
