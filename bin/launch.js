/**
 * The one way into the project: `node bin/launch.js <start|demo|test|check|build> [arguments]`. It needs nothing but
 * Node, fetches what is missing, names each thing as it does, and hands over.
 */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from './tools/build.js';
import { runChecks } from './tools/checks.js';
import { ensureNodeModules, requireNode } from './tools/dependencies.js';
import { runInForeground } from './tools/run.js';
import { obtainTemporalCli } from './tools/temporal-cli.js';
import { ensureTestPrograms } from './tools/test-programs.js';
import { closingLine, runTests } from './tools/tests.js';
import { Trouble, say } from './tools/trouble.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @type {Record<string, (args: readonly string[]) => Promise<number>>} */
const verbs = {
  start: (args) => handOver('dist/bin/start.js', args),
  demo: (args) => handOver('dist/bin/demo.js', args),
  test,
  check,
  build,
};

/**
 * @param {string} program
 * @param {readonly string[]} args
 */
async function handOver(program, args) {
  await ensureNodeModules(root);
  const env = await environmentWithTemporal();
  await ensureBuilt(root);
  return runInForeground(process.execPath, ['--enable-source-maps', program, ...args], { cwd: root, env });
}

/** @param {readonly string[]} args for jest */
async function test(args) {
  await ensureNodeModules(root);
  ensureTestPrograms(process.env);
  const env = await environmentWithTemporal();
  await ensureBuilt(root);
  const checks = await runChecks(root);
  if (checks.failed > 0) return closeWith(checks);
  const tests = await runTests(root, args, env);
  return closeWith({ passed: checks.passed + tests.passed, failed: tests.failed, skipped: tests.skipped });
}

async function check() {
  await build();
  return closeWith(await runChecks(root));
}

async function build() {
  await ensureNodeModules(root);
  await ensureBuilt(root);
  return 0;
}

async function environmentWithTemporal() {
  return { ...process.env, TEMPORAL_CLI_PATH: await obtainTemporalCli(process.env) };
}

/** @param {import('./tools/tests.js').Counts} counts */
function closeWith(counts) {
  process.stdout.write(`${closingLine(counts)}\n`);
  return counts.failed > 0 ? 1 : 0;
}

try {
  requireNode(process.versions.node);
  const [verb = '', ...args] = process.argv.slice(2);
  const run = verbs[verb];
  if (run === undefined) {
    throw new Trouble(
      `Say what to do, one of ${Object.keys(verbs).join(', ')}: for example \`node bin/launch.js start\`.`,
    );
  }
  process.exitCode = await run(args);
} catch (error) {
  if (!(error instanceof Trouble)) throw error;
  say(error.message);
  if (process.argv[2] === 'test') closeWith({ passed: 0, failed: 1, skipped: 0 });
  process.exitCode = 1;
}
