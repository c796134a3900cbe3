import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Trouble, say } from './trouble.js';
import { runInForeground } from './run.js';

const lowest = { major: 20, minor: 19 };

/**
 * xen-api and others are ES modules that need `require` of ES modules, which Node has from 20.19 on.
 * @param {string} version such as "20.20.2"
 */
export function requireNode(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > lowest.major || (major === lowest.major && minor >= lowest.minor)) return;
  throw new Trouble(
    `Switchboard needs Node ${lowest.major}.${lowest.minor} or later, this is Node ${version}: ` +
      'install a newer Node (https://nodejs.org) and run the same command again.',
  );
}

/**
 * Runs `npm ci` when node_modules is missing or older than package-lock.json.
 * @param {string} root folder of the project
 */
export async function ensureNodeModules(root) {
  const reason = whyStale(root);
  if (reason === undefined) return;
  say(`Installing the libraries with npm ci (${reason}); this takes a minute or two.`);
  const code = await runInForeground('npm', ['ci'], { cwd: root });
  if (code === 0) return;
  throw new Trouble(
    `The libraries could not be installed: npm ci ended with code ${code} (its words are above). ` +
      `Nothing was started; cure the cause and run \`npm ci\` in ${root}.`,
  );
}

/** @param {string} root */
function whyStale(root) {
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return 'node_modules is missing';
  const lockfile = join(root, 'package-lock.json');
  return statSync(installed).mtimeMs < statSync(lockfile).mtimeMs
    ? 'node_modules is older than package-lock.json'
    : undefined;
}
