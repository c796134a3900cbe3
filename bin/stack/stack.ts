import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { requireDatabase, requireTemporal } from './given-servers.ts';
import { labReadyFrom, writePoolsFile } from './lab-pools.ts';
import type { Part } from './part.ts';
import { type PortName, type Ports, portsFrom, requireFreePorts } from './ports.ts';
import { postgresPart } from './postgres.ts';
import { removePostgresHome } from './postgres-home.ts';
import { emptyStateFolder, ensureSecretFile, openStateFolder } from './state-folder.ts';
import { lockName } from './state-lock.ts';
import { Supervisor } from './supervisor.ts';
import { ensureSearchAttributes, keepClosedWorkflows, temporalPart, withTemporal } from './temporal.ts';
import { StackTrouble } from './trouble.ts';

export type PartName = 'database' | 'temporal' | 'lab' | 'worker' | 'api';

export interface StackOptions {
  /**
   * The caller's environment. DATABASE_URL, TEMPORAL_ADDRESS and SWITCHBOARD_CONFIG each replace a part of the stack
   * (PostgreSQL, Temporal, the lab); SWITCHBOARD_*_PORT set ports; TEMPORAL_CLI_PATH is the Temporal CLI.
   */
  readonly env: NodeJS.ProcessEnv;
  readonly stateDir: string;
  /** Removes what an earlier run kept, the database included. */
  readonly fresh: boolean;
  readonly say: (line: string) => void;
  /** Aborting stops a start that is under way. */
  readonly signal: AbortSignal;
}

export interface StackUrls {
  readonly api: string;
  readonly temporalAddress: string;
  /** Absent on a Temporal server that was given by address. */
  readonly temporalUi?: string;
  readonly database: string;
  /** Absent when the pools were given by a configuration file. */
  readonly labControl?: string;
}

/** A running Switchboard with all that it needs. */
export interface Stack {
  readonly urls: StackUrls;
  readonly tokenFile: string;
  readonly configFile: string;
  /** Resolves when a part died too often; the other parts still run. */
  readonly givenUp: Promise<StackTrouble>;
  pid(part: PartName): number;
  kill(part: PartName, signal: NodeJS.Signals): void;
  onRestart(listener: (part: string, pid: number) => void): void;
  /** Stops API, worker, lab, Temporal, database, in this order. */
  stop(): Promise<void>;
}

/**
 * Starts database, Temporal, lab, worker and API, in this order, each when the one before is ready.
 * @throws StackTrouble in words for a person; nothing is left running then
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { env, say, signal } = options;
  const ports = portsFrom(env);
  const stateDir = openStateFolder(options.stateDir);
  const supervisor = await Supervisor.open(stateDir, say);
  const stop = () => supervisor.stop();
  signal.addEventListener('abort', () => void stop(), { once: true });
  if (signal.aborted) void stop();
  try {
    if (options.fresh) removeState(stateDir);
    await requireFreePorts(ports, usedPorts(env));
    const context = { supervisor, env, ports, stateDir, say };
    const database = await startDatabase(context);
    const temporal = await startTemporal(context);
    const common = { ...temporal.env, DATABASE_URL: database, SWITCHBOARD_STATE_DIR: stateDir };
    const pools = await startLab(context, common);
    const tokenFile = join(stateDir, 'token');
    ensureSecretFile(tokenFile, () => `swb_${randomBytes(32).toString('base64url')}`);
    const own = { ...common, SWITCHBOARD_CONFIG: pools.configFile, SWITCHBOARD_TOKEN_FILE: tokenFile };
    await supervisor.start(nodePart('worker', own));
    await supervisor.start(
      nodePart('api', {
        ...own,
        SWITCHBOARD_API_PORT: String(ports.api),
        SWITCHBOARD_TEMPORAL_UI_URL: temporal.urls.temporalUi,
      }),
    );
    const api = `http://127.0.0.1:${ports.api}`;
    const urls = { api, database, ...temporal.urls, labControl: pools.labControl };
    return {
      urls,
      tokenFile,
      configFile: pools.configFile,
      givenUp: supervisor.givenUp,
      pid: (part) => supervisor.pid(part),
      kill: (part, killSignal) => void process.kill(supervisor.pid(part), killSignal),
      onRestart: (listener) => supervisor.onRestart(listener),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Context {
  readonly supervisor: Supervisor;
  readonly env: NodeJS.ProcessEnv;
  readonly ports: Ports;
  readonly stateDir: string;
  readonly say: (line: string) => void;
}

function removeState(stateDir: string): void {
  removePostgresHome(stateDir);
  emptyStateFolder(stateDir, [lockName]);
  openStateFolder(stateDir);
}

function usedPorts(env: NodeJS.ProcessEnv): PortName[] {
  const used: PortName[] = ['api'];
  if (!env['TEMPORAL_ADDRESS']) used.push('temporal', 'temporalUi');
  if (!env['DATABASE_URL']) used.push('postgres');
  if (!env['SWITCHBOARD_CONFIG']) used.push('lab', 'labControl');
  return used;
}

async function startDatabase({ supervisor, env, ports, stateDir, say }: Context): Promise<string> {
  const given = env['DATABASE_URL'];
  if (given) {
    await requireDatabase(given);
    return given;
  }
  const { part, url } = postgresPart(stateDir, ports.postgres, say);
  await supervisor.start(part);
  return url;
}

interface RunningTemporal {
  readonly env: NodeJS.ProcessEnv;
  readonly urls: Pick<StackUrls, 'temporalAddress' | 'temporalUi'>;
}

async function startTemporal({ supervisor, env, ports, stateDir }: Context): Promise<RunningTemporal> {
  const namespace = env['TEMPORAL_NAMESPACE'] || 'default';
  const given = env['TEMPORAL_ADDRESS'];
  if (given) {
    await requireTemporal(given, namespace);
    return { env: { ...env, TEMPORAL_NAMESPACE: namespace }, urls: { temporalAddress: given } };
  }
  const cliPath = env['TEMPORAL_CLI_PATH'];
  if (!cliPath) {
    throw new StackTrouble(
      'There is no Temporal CLI: start with `npm start`, which installs it, or set TEMPORAL_CLI_PATH or TEMPORAL_ADDRESS.',
    );
  }
  const address = `127.0.0.1:${ports.temporal}`;
  await supervisor.start(temporalPart(cliPath, stateDir, ports, namespace));
  await withTemporal({ address }, async (connection) => {
    await ensureSearchAttributes(connection, namespace);
    await keepClosedWorkflows(connection, namespace);
  });
  const urls = { temporalAddress: address, temporalUi: `http://127.0.0.1:${ports.temporalUi}` };
  const own = { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, TEMPORAL_CONFIG_FILE: profileFile(stateDir) };
  return { env: { ...withoutTemporalSettings(env), ...own }, urls };
}

/** Keys and profiles of the caller belong to some other server: with ours they would turn TLS on. */
function withoutTemporalSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const others = Object.entries(env).filter(([name]) => !name.startsWith('TEMPORAL_'));
  return Object.fromEntries(others);
}

/** Without a file of ours, envconfig would read the caller's; one without any profile it cannot read. */
function profileFile(stateDir: string): string {
  const path = join(stateDir, 'temporal.toml');
  writeFileSync(path, '[profile.default]\n');
  return path;
}

async function startLab(
  context: Context,
  common: NodeJS.ProcessEnv,
): Promise<{ configFile: string; labControl?: string }> {
  const { supervisor, env, ports, stateDir } = context;
  if (env['SWITCHBOARD_CONFIG']) return { configFile: env['SWITCHBOARD_CONFIG'] };
  const line = await supervisor.start(
    nodePart('lab', {
      ...common,
      SWITCHBOARD_LAB_PORT: String(ports.lab),
      SWITCHBOARD_LAB_CONTROL_PORT: String(ports.labControl),
      SWITCHBOARD_LAB_STATE_FILE: join(stateDir, 'lab.json'),
    }),
  );
  const lab = labReadyFrom(line);
  return { configFile: writePoolsFile(stateDir, lab), labControl: lab.controlUrl };
}

/** A program of ours, run by node itself: behind a wrapper a SIGKILL would hit the wrapper and leave the worker alive. */
function nodePart(name: PartName, env: NodeJS.ProcessEnv): Part {
  const program = fileURLToPath(new URL(`../${name}.js`, import.meta.url));
  return {
    name,
    command: process.execPath,
    args: ['--enable-source-maps', program],
    env,
    readyLimitMs: 60_000,
    stopSignal: 'SIGTERM',
    stopLimitMs: 30_000,
  };
}
