import { chmodSync, cpSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Trouble, say } from './trouble.js';
import { runInForeground } from './run.js';

const sources = [
  ...['domain', 'workflows', 'activities', 'adapters', 'api', 'cli', 'bin', 'lab', 'bench'],
  ...['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'],
];

/** What the compiler leaves out and the program reads beside its own files. */
const copied = [join('adapters', 'postgres', 'migrations'), join('lab', 'netns', 'image'), join('lab', 'scenarios')];

/**
 * Compiles the sources into dist/ and bundles the workflows when anything changed since the last time.
 * @param {string} root folder of the project
 */
export async function ensureBuilt(root) {
  const dist = join(root, 'dist');
  const stamp = join(dist, '.built');
  const newestMs = Math.max(...sources.map((source) => newestChangeMs(join(root, source))));
  if (existsSync(stamp) && statSync(stamp).mtimeMs > newestMs) return;
  say('Compiling the sources into dist/.');
  rmSync(dist, { recursive: true, force: true });
  await step(root, 'The sources do not compile', ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json']);
  // npm does it when it installs; then there is no dist/ yet.
  chmodSync(join(dist, 'bin', 'switchboard.js'), 0o755);
  for (const folder of copied) cpSync(join(root, folder), join(dist, folder), { recursive: true });
  say('Bundling the workflows.');
  await step(root, 'The workflows cannot be bundled', [join('dist', 'bin', 'bundle-workflows.js')]);
  writeFileSync(stamp, '');
}

/**
 * @param {string} root
 * @param {string} failure
 * @param {readonly string[]} args of node
 */
async function step(root, failure, args) {
  const code = await runInForeground(process.execPath, args, { cwd: root });
  if (code === 0) return;
  throw new Trouble(
    `${failure} (the reasons are above); nothing was started. Correct them, or see them again with: node ${args.join(' ')}`,
  );
}

/**
 * Folders count as well: their time changes when a file is removed.
 * @param {string} path
 * @returns {number} 0 when there is nothing
 */
function newestChangeMs(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestChangeMs(join(path, name))));
}
