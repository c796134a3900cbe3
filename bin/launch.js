/**
 * The one way into the project: `node bin/launch.js <start|demo|test|test:release|check|build|bench> [arguments]`. It needs nothing but
 * Node, fetches what is missing, names each thing as it does, and hands over.
 */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from './tools/build.js';
import { runChecks } from './tools/checks.js';
import { checkCoverage } from './tools/coverage-floor.js';
import { ensureNodeModules, requireNode } from './tools/dependencies.js';
import { runInForeground } from './tools/run.js';
import { obtainTemporalCli } from './tools/temporal-cli.js';
import { obtainTemporalServer } from './tools/temporal-server.js';
import { ensureTestPrograms } from './tools/test-programs.js';
import { closingLine, runTests } from './tools/tests.js';
import { Trouble, say } from './tools/trouble.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @type {Record<string, (args: readonly string[]) => Promise<number>>} */
const verbs = {
  start: (args) => handOver('dist/bin/start.js', args),
  demo: (args) => handOver('dist/bin/demo.js', args),
  test,
  'test:release': testRelease,
  check,
  build,
  bench,
};

/** Each is a program in bench/; some need the Temporal CLI. */
const benchmarks = new Map([
  ['deploy', { needsTemporal: true }],
  ['lab', { needsTemporal: false }],
]);

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
  // A part of the tests covers a part of the code; and what failed has covered less than it would.
  const isWhole = args.length === 0 && tests.failed === 0;
  const coverage = isWhole ? checkCoverage(root) : { passed: 0, failed: 0, skipped: 0 };
  return closeWith({
    passed: checks.passed + tests.passed + coverage.passed,
    failed: tests.failed + coverage.failed,
    skipped: tests.skipped,
  });
}

/**
 * What takes too long for every change: the production shape, and every step case and kill instead of a covering part.
 * @param {readonly string[]} args for jest, in the first part
 */
async function testRelease(args) {
  await ensureNodeModules(root);
  const env = {
    ...(await environmentWithTemporal()),
    SWITCHBOARD_TEMPORAL_SERVER_DIR: obtainTemporalServer(process.env),
  };
  await ensureBuilt(root);
  const shape = await runTests(root, ['--config', 'jest.release.config.js', ...args], env);
  const everyCase = ['--coverage=false', 'test/workflows/step-cases', 'test/workflows/kill'];
  const matrices = await runTests(root, everyCase, { ...env, SWITCHBOARD_RELEASE: '1' });
  return closeWith({
    passed: shape.passed + matrices.passed,
    failed: shape.failed + matrices.failed,
    skipped: shape.skipped + matrices.skipped,
  });
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

/** @param {readonly string[]} args which benchmark, then its own arguments */
async function bench([name = '', ...args]) {
  const benchmark = benchmarks.get(name);
  if (benchmark === undefined) throw new Trouble(`Say which benchmark, one of ${[...benchmarks.keys()].join(', ')}.`);
  await ensureNodeModules(root);
  // A benchmark brings all its servers itself, so that the caller's cannot bend its figures.
  const cli = benchmark.needsTemporal && (await obtainTemporalCli({ ...process.env, TEMPORAL_ADDRESS: undefined }));
  await ensureBuilt(root);
  const given = cli ? ['--temporal-cli', cli, ...args] : args;
  const program = ['--enable-source-maps', `dist/bench/${name}.js`, ...given];
  return runInForeground(process.execPath, program, { cwd: root });
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
