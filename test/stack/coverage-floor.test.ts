import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { projectRoot } from './compiled-start.ts';
import { runNode } from './program.ts';

interface Floor {
  readonly linesPercent: number;
  readonly branchesPercent: number;
}

const MODULE = join(projectRoot, 'bin/tools/coverage-floor.js');
const FLOOR_FILE = 'test/coverage-floor.json';

describe('the floor of the coverage', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'switchboard-coverage-'));
    file(FLOOR_FILE, { linesPercent: 90, branchesPercent: 80 });
  });

  afterEach(() => rmSync(root, { recursive: true }));

  const file = (path: string, content: object) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), JSON.stringify(content));
  };
  /** `[lines, branches]` covered of 100 each. */
  const summary = (files: Readonly<Record<string, readonly [number, number]>>) => {
    const rows = Object.entries(files).map(([path, [lines, branches]]): [string, object] => [
      join(root, path),
      { lines: { total: 100, covered: lines }, branches: { total: 100, covered: branches } },
    ]);
    file('coverage/coverage-summary.json', { total: {}, ...Object.fromEntries(rows) });
  };

  /** Whether the check passes, and what it says. */
  const check = () => {
    const script = `import { checkCoverage } from ${JSON.stringify(MODULE)};
      process.exitCode = checkCoverage(${JSON.stringify(root)}).failed;`;
    return runNode(['--input-type=module', '-e', script], { PATH: process.env['PATH'] });
  };

  it('is held by the folders of the product together', () => {
    summary({ 'api/app.ts': [100, 100], 'domain/run.ts': [80, 60] });
    const { status, stderr } = check();
    expect(stderr).toContain('90 % of lines, 80 % of branches; the floor is 90 % of lines, 80 % of branches.');
    expect(stderr).not.toContain('Raise');
    expect(status).toBe(0);
  });

  it.each([
    ['lines', [89, 100]],
    ['branches', [100, 79]],
  ] as const)('fails the tests when too few %s are covered', (_what, covered) => {
    summary({ 'workflows/kit/saga.ts': covered });
    const { status, stderr } = check();
    expect(stderr).toContain('That is under the floor');
    expect(status).toBe(1);
  });

  it('does not look at the lab and the programs', () => {
    summary({ 'cli/io.ts': [90, 80], 'lab/lab.ts': [0, 0], 'bin/api.ts': [0, 0] });
    expect(check().status).toBe(0);
  });

  it('asks to be raised when it has been left far behind', () => {
    summary({ 'adapters/ssh/run.ts': [95, 95] });
    const { status, stderr } = check();
    expect(stderr).toContain(`Raise the floor to it, in ${FLOOR_FILE}`);
    expect(status).toBe(0);
  });

  it('has only ever risen', () => {
    const floors = earlierFloors();
    expect(floors).toEqual(floors.toSorted((left, right) => left.linesPercent - right.linesPercent));
    expect(floors).toEqual(floors.toSorted((left, right) => left.branchesPercent - right.branchesPercent));
  });
});

/** As committed, the oldest first; empty where git's history is not at hand. */
function earlierFloors(): Floor[] {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: projectRoot, encoding: 'utf8' }).trim();
  try {
    const commits = git('log', '--reverse', '--format=%h', '--', FLOOR_FILE).split('\n').filter(Boolean);
    return commits.map((commit) => JSON.parse(git('show', `${commit}:${FLOOR_FILE}`)) as Floor);
  } catch {
    return []; // an unpacked archive has no history
  }
}
