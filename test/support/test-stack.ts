import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireDatabase, requireTemporal } from '../../bin/stack/given-servers.ts';
import { anyFreePort } from '../../bin/stack/ports.ts';
import { postgresPart } from '../../bin/stack/postgres.ts';
import { openStateFolder } from '../../bin/stack/state-folder.ts';
import { Supervisor } from '../../bin/stack/supervisor.ts';
import { temporalPart } from '../../bin/stack/temporal.ts';

/** One real Temporal server and one real PostgreSQL for a whole jest run. */
export interface TestStack {
  readonly temporalAddress: string;
  readonly databaseUrl: string;
  stop(): Promise<void>;
}

/**
 * Starts what the environment does not give (TEMPORAL_ADDRESS, DATABASE_URL) on free ports, in a folder that is removed
 * at the end. A keeper process does the removing, so that it happens after Ctrl-C and after a kill as well.
 * @param root folder of the project
 */
export async function startTestStack(root: string, env: NodeJS.ProcessEnv): Promise<TestStack> {
  const stateDir = openStateFolder(mkdtempSync(join(tmpdir(), 'switchboard-test-stack-')));
  const keeper = startKeeper(root, stateDir);
  const supervisor = await Supervisor.open(stateDir, tell);
  const stop = async () => {
    await supervisor.stop();
    keeper.ref();
    keeper.stdin?.end();
    if (keeper.exitCode === null) await once(keeper, 'exit');
  };
  try {
    const databaseUrl = await database(supervisor, stateDir, env);
    const temporalAddress = await temporal(supervisor, stateDir, root, env);
    return { temporalAddress, databaseUrl, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

function startKeeper(root: string, stateDir: string): ChildProcess {
  const program = join(root, 'test', 'support', 'test-stack-keeper.js');
  const keeper = spawn(process.execPath, [program, stateDir], { detached: true, stdio: ['pipe', 'ignore', 'inherit'] });
  keeper.unref();
  return keeper;
}

async function database(supervisor: Supervisor, stateDir: string, env: NodeJS.ProcessEnv): Promise<string> {
  const given = env['DATABASE_URL'];
  if (given) {
    await requireDatabase(given);
    return given;
  }
  const { part, url } = postgresPart(stateDir, await anyFreePort(), () => undefined);
  await supervisor.start(part);
  return url;
}

async function temporal(
  supervisor: Supervisor,
  stateDir: string,
  root: string,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const given = env['TEMPORAL_ADDRESS'];
  if (given) {
    await requireTemporal(given, env['TEMPORAL_NAMESPACE'] || 'default');
    return given;
  }
  const cliPath =
    env['TEMPORAL_CLI_PATH'] ||
    execFileSync(process.execPath, [join(root, 'bin/tools/print-temporal-cli.js')], { env, encoding: 'utf8' }).trim();
  const ports = { temporal: await anyFreePort(), temporalUi: await anyFreePort() };
  await supervisor.start(temporalPart(cliPath, stateDir, ports, 'default'));
  return `127.0.0.1:${ports.temporal}`;
}
