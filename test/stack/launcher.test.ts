import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { projectRoot } from './compiled-start.ts';
import { runNode } from './program.ts';

/** Stands for a program of node_modules: notes in the project's journal that it ran, and ends with a code. */
const noting = (word: string, code = 0) =>
  `require('node:fs').appendFileSync('journal', '${word}\\n'); process.exit(${code});`;

/** Stands for the compiler: what it makes is the program that bundles the workflows. */
const fakeCompiler = `const fs = require('node:fs'); fs.appendFileSync('journal', 'tsc\\n');
  fs.mkdirSync('dist/bin', { recursive: true });
  fs.writeFileSync('dist/bin/switchboard.js', '');
  fs.writeFileSync('dist/bin/bundle-workflows.js', "import fs from 'node:fs'; fs.appendFileSync('journal', 'bundle\\\\n')");`;

/** Stands for jest: it leaves the counts where the reporter of the project would. */
const fakeJest = `require('node:fs').appendFileSync('journal', process.argv[2] + '\\n');
  require('node:fs').writeFileSync(process.env.SWITCHBOARD_TEST_COUNTS,
  JSON.stringify({ passed: 7, failed: Number(process.env.FAILING), skipped: 2 })); process.exit(Number(process.env.FAILING));`;

const checkPrograms = ['eslint/bin/eslint.js', 'prettier/bin/prettier.cjs', 'knip/bin/knip.js'];

describe('the launcher', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'switchboard-launcher-'));
    cpSync(join(projectRoot, 'bin/launch.js'), join(root, 'bin/launch.js'));
    cpSync(join(projectRoot, 'bin/tools'), join(root, 'bin/tools'), { recursive: true });
    file('package.json', '{"type":"module"}');
    file('package-lock.json', '{}');
  });

  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  const file = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, { mode: 0o755 });
  };

  const install = () => {
    file('node_modules/package.json', '{"type":"commonjs"}');
    file('node_modules/typescript/bin/tsc', fakeCompiler);
    file('adapters/postgres/migrations/0001-first.sql', 'SELECT 1');
    file('lab/scenarios/default.yaml', 'description: one');
    file('lab/netns/image/systemctl', '#!/usr/bin/perl');
    for (const path of checkPrograms) file(`node_modules/${path}`, noting(dirname(dirname(path))));
    file('node_modules/jest/bin/jest.js', fakeJest);
    file('node_modules/.package-lock.json', '{}');
  };

  const launch = (args: string[], env: NodeJS.ProcessEnv = {}) => {
    const PATH = `${join(root, 'fake')}:${process.env['PATH']}`;
    return runNode([join(root, 'bin/launch.js'), ...args], { PATH, TEMPORAL_ADDRESS: 'not.used:7233', ...env });
  };

  const journal = () => readFileSync(join(root, 'journal'), 'utf8').trim().split('\n');

  it('names its verbs when it is asked for something else', () => {
    const { status, stderr } = launch(['fly']);
    expect(status).toBe(1);
    expect(stderr).toBe(
      'Say what to do, one of start, demo, test, test:release, check, build, bench: for example `node bin/launch.js start`.\n',
    );
  });

  it('says in one sentence that the libraries could not be installed, and what to type', () => {
    file('fake/npm', '#!/bin/sh\necho "npm error: no network"; exit 4\n');
    const { status, stdout, stderr } = launch(['build']);
    expect(status).toBe(1);
    expect(stdout).toBe('npm error: no network\n');
    expect(stderr).toContain('Installing the libraries with npm ci (node_modules is missing)');
    expect(stderr).toContain(
      `npm ci ended with code 4 (its words are above). Nothing was started; cure the cause and run \`npm ci\` in ${root}.`,
    );
    expect(stderr).not.toContain('    at ');
  });

  it('installs the libraries again when the lockfile is newer', () => {
    install();
    file('fake/npm', `#!/bin/sh\necho "npm $1" > ${join(root, 'journal')}; exit 4\n`);
    utimesSync(join(root, 'node_modules/.package-lock.json'), 1000, 1000);
    expect(launch(['build']).stderr).toContain('node_modules is older than package-lock.json');
    expect(journal()).toEqual(['npm ci']);
  });

  it('compiles once, and again only when a source has changed', () => {
    install();
    file('domain/pool.ts', '');
    for (let times = 0; times < 3; times += 1) expect(launch(['build']).status).toBe(0);
    expect(journal()).toEqual(['tsc', 'bundle']);
    expect(readFileSync(join(root, 'dist/adapters/postgres/migrations/0001-first.sql'), 'utf8')).toBe('SELECT 1');
    expect(readFileSync(join(root, 'dist/lab/scenarios/default.yaml'), 'utf8')).toBe('description: one');
    const inAnHour = Date.now() / 1000 + 3600;
    utimesSync(join(root, 'domain/pool.ts'), inAnHour, inAnHour);
    launch(['build']);
    expect(journal()).toEqual(['tsc', 'bundle', 'tsc', 'bundle']);
  });

  it('makes the command line a program that can be run, after every compilation', () => {
    install();
    for (const source of ['cli/one.ts', 'cli/two.ts']) {
      file(source, '');
      launch(['build']);
      expect(statSync(join(root, 'dist/bin/switchboard.js')).mode & 0o111).toBe(0o111);
    }
  });

  it('says that the sources do not compile, with the command that shows why', () => {
    install();
    file('node_modules/typescript/bin/tsc', 'process.exit(2)');
    const { status, stderr } = launch(['build']);
    expect(status).toBe(1);
    expect(stderr).toContain('The sources do not compile');
    expect(stderr).toContain('node node_modules/typescript/bin/tsc -p tsconfig.build.json');
  });

  it('runs every check even when one fails, and closes with the counts', () => {
    install();
    file('node_modules/eslint/bin/eslint.js', noting('eslint', 1));
    const { status, stdout, stderr } = launch(['check']);
    expect(status).toBe(1);
    const [compiled, bundled, ...checked] = journal();
    expect([compiled, bundled]).toEqual(['tsc', 'bundle']);
    // Checks run side by side.
    expect(checked.sort()).toEqual(['eslint', 'knip', 'prettier', 'tsc']);
    expect(stderr).toContain('check: lint FAILED; most of it is cured by: npx eslint --fix .');
    expect(stdout).toBe('3 passed, 3 failed\n');
  });

  it('does not run the tests when a check failed', () => {
    install();
    const { status, stdout } = launch(['test'], { FAILING: '0' });
    expect(status).toBe(1);
    expect(stdout).toBe('4 passed, 2 failed\n');
  });

  it.each([
    ['0', '13 passed, 0 failed, 2 skipped', 0],
    ['3', '13 passed, 3 failed, 2 skipped', 1],
  ])('closes a test run with its checks and tests, %s of them failing', (failing, line, code) => {
    install();
    file('dist/bin/generate.js', '');
    file('dist/lab/messages-page.js', '');
    file('dist/.built', '');
    const inAnHour = Date.now() / 1000 + 3600;
    utimesSync(join(root, 'dist/.built'), inAnHour, inAnHour);
    const { status, stdout } = launch(['test', 'test/api'], { FAILING: failing });
    expect(journal().at(-1)).toBe('test/api');
    expect(stdout).toBe(`${line}\n`);
    expect(status).toBe(code);
  });

  it('hands over to start with its arguments, its exit code and the Temporal CLI', () => {
    install();
    file('dist/bin/start.js', `console.log(process.argv[2], process.env.TEMPORAL_CLI_PATH); process.exitCode = 5;`);
    file('dist/.built', '');
    const inAnHour = Date.now() / 1000 + 3600;
    utimesSync(join(root, 'dist/.built'), inAnHour, inAnHour);
    const env = { TEMPORAL_ADDRESS: '', TEMPORAL_CLI_PATH: process.execPath };
    const { status, stdout } = launch(['start', '--fresh'], env);
    expect(stdout).toBe(`--fresh ${process.execPath}\n`);
    expect(status).toBe(5);
  });
});
