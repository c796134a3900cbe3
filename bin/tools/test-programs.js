import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Trouble, say } from './trouble.js';
import { lastLine, runQuietly } from './run.js';

/** Programs that some tests use as a second opinion beside our own code, with the Debian package that has them. */
const testPrograms = [
  { program: 'mkfs.vfat', debianPackage: 'dosfstools' },
  { program: 'mcopy', debianPackage: 'mtools' },
  { program: 'genisoimage', debianPackage: 'genisoimage' },
  { program: 'ssh', debianPackage: 'openssh-client' },
  { program: 'openssl', debianPackage: 'openssl' },
  { program: 'zsh', debianPackage: 'zsh' },
  { program: 'fish', debianPackage: 'fish' },
  { program: 'docker-compose', debianPackage: 'docker-compose' },
];

/**
 * Installs missing test programs when that can be done without asking (root on Debian or Ubuntu); otherwise says how.
 * @param {Record<string, string | undefined>} env CI=true makes a missing program a failure, not a skipped test
 */
export function ensureTestPrograms(env) {
  const missing = testPrograms.filter(({ program }) => findProgram(program, env) === undefined);
  if (missing.length === 0) return;
  const packages = missing.map(({ debianPackage }) => debianPackage);
  const byHand = `apt-get update && apt-get install -y ${packages.join(' ')}`;
  if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    say(`Installing Debian packages for the tests: ${packages.join(', ')}.`);
    const trouble = aptInstall(packages, env);
    if (trouble === undefined) return;
    reportMissing(`apt-get could not install ${packages.join(', ')}: ${trouble}.`, byHand, env);
  } else {
    const names = missing.map(({ program }) => program);
    reportMissing(`Programs that some tests need are missing: ${names.join(', ')}.`, `sudo sh -c '${byHand}'`, env);
  }
}

/**
 * @param {string} problem
 * @param {string} cure a command
 * @param {Record<string, string | undefined>} env
 */
function reportMissing(problem, cure, env) {
  if (env.CI === 'true') throw new Trouble(`${problem} No test was run; install them with: ${cure}`);
  say(`${problem} The tests that need them are skipped; install them with: ${cure}`);
}

/**
 * @param {readonly string[]} packages
 * @param {Record<string, string | undefined>} env
 * @returns {string | undefined} what went wrong
 */
function aptInstall(packages, env) {
  const quiet = { ...env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = () => runQuietly('apt-get', ['install', '-y', '--no-install-recommends', ...packages], quiet);
  if (install().ok) return undefined;
  say('Fetching the package lists with apt-get update first.');
  const update = runQuietly('apt-get', ['update'], quiet);
  if (!update.ok) return lastLine(update.output);
  const second = install();
  return second.ok ? undefined : lastLine(second.output);
}

/**
 * @param {string} name
 * @param {Record<string, string | undefined>} env its PATH is searched, then the system folders that only root has in it
 * @returns {string | undefined}
 */
export function findProgram(name, env) {
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...folders, '/usr/sbin', '/sbin'].map((folder) => join(folder, name)).find(isExecutable);
}

/** @param {string} path */
export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
