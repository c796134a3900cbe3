import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Trouble, say } from './trouble.js';
import { lastLine, runQuietly } from './run.js';
import { isExecutable } from './test-programs.js';

/** The version of docker-compose.yml. */
const version = 'v1.31.2';
const programs = ['server', 'tools/sql'];

/**
 * Finds Temporal's production server and its sql tool in the user's cache folder, or compiles them there with Go, which
 * checks what it fetches against the public checksum database (4 minutes on 2 cores).
 * @param {Record<string, string | undefined>} env
 * @returns {string} the folder with the programs `server` and `sql`
 */
export function obtainTemporalServer(env) {
  const cacheFolder = env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache');
  const folder = join(cacheFolder, 'switchboard', 'tools', `temporal-server-${version}`);
  if (['server', 'sql'].every((name) => isExecutable(join(folder, name)))) return folder;
  const go = runQuietly('go', ['version'], env);
  if (!go.ok) throw new Trouble(`The release tests compile Temporal's server: install Go (${go.output}).`);
  say(`Compiling Temporal's server ${version} with ${go.output} into ${folder}; this takes minutes.`);
  mkdirSync(folder, { recursive: true });
  const modules = programs.map((name) => `go.temporal.io/server/cmd/${name}@${version}`);
  const { ok, output } = runQuietly('go', ['install', ...modules], { ...env, GOBIN: folder });
  if (!ok) throw new Trouble(`Temporal's server could not be compiled: ${lastLine(output)}. No test was run.`);
  return folder;
}
