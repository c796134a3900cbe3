import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import type { Part } from '../../../bin/stack/part.ts';

const DEBIAN_PROGRAMS = '/usr/lib/postgresql';

type User = { readonly uid: number; readonly gid: number };

/**
 * Debian's PostgreSQL: the server with the pg_dump and pg_restore that belong to it (the embedded one comes without, and
 * those of an older version refuse a newer server).
 */
export function debianPrograms(): string {
  const versions = existsSync(DEBIAN_PROGRAMS) ? readdirSync(DEBIAN_PROGRAMS) : [];
  const newest = versions.toSorted((left, right) => Number(right) - Number(left))[0];
  if (newest !== undefined) return join(DEBIAN_PROGRAMS, newest, 'bin');
  throw new Error(`There is no PostgreSQL in ${DEBIAN_PROGRAMS}: apt-get install postgresql`);
}

/** PostgreSQL refuses to run as root: whoever is not root runs it as himself. */
function postgresUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** A new cluster below `folder`, which its user can reach, and the server on it as a part. The superuser is `postgres`. */
export function postgresServer(folder: string, port: number, password: string): Part {
  const programs = debianPrograms();
  const user = postgresUser();
  const dataDir = join(folder, 'postgres', 'data');
  const passwordFile = join(folder, 'postgres', 'password');
  mkdirSync(dirname(dataDir), { recursive: true, mode: 0o755 });
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (user) for (const path of [dirname(dataDir), passwordFile]) chownSync(path, user.uid, user.gid);
  const env = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
  const cluster = ['--pgdata', dataDir, '--username=postgres', '--pwfile', passwordFile, '--data-checksums'];
  const kind = ['--auth=scram-sha-256', '--encoding=UTF8', '--no-locale'];
  execFileSync(join(programs, 'initdb'), [...cluster, ...kind], { ...user, cwd: '/', env, stdio: 'pipe' });
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200'];
  return {
    name: 'postgres',
    command: join(programs, 'postgres'),
    args: ['-D', dataDir, ...settings.flatMap((setting) => ['-c', setting])],
    env,
    cwd: dataDir,
    user,
    probe: () => answers(`postgresql://postgres:${password}@127.0.0.1:${port}/postgres`),
    readyLimitMs: 60_000,
    stopSignal: 'SIGINT',
    stopLimitMs: 30_000,
  };
}

async function answers(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined); // a connection cut during the query fails the query as well
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    await client.end();
  }
}
