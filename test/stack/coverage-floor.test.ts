import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkCoverage, FLOOR_FILE } from '../../bin/tools/coverage-floor.js';
import { projectRoot } from './compiled-start.ts';

interface Floor {
  readonly linesPercent: number;
  readonly branchesPercent: number;
}

const PASSED = { passed: 1, failed: 0, skipped: 0 };
const FAILED = { passed: 0, failed: 1, skipped: 0 };

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
    const rows = Object.entries(files).map(([path, [lines, branches]]) => [
      join(root, path),
      { lines: { total: 100, covered: lines }, branches: { total: 100, covered: branches } },
    ]);
    file('coverage/coverage-summary.json', { total: {}, ...Object.fromEntries(rows) });
  };

  it('is held by the folders of the product together', () => {
    summary({ 'api/app.ts': [100, 100], 'domain/run.ts': [80, 60] });
    expect(checkCoverage(root)).toEqual(PASSED);
  });

  it.each([
    ['lines', [89, 100]],
    ['branches', [100, 79]],
  ] as const)('fails the tests when too few %s are covered', (_what, covered) => {
    summary({ 'workflows/kit/saga.ts': covered });
    expect(checkCoverage(root)).toEqual(FAILED);
  });

  it('does not look at the lab and the programs', () => {
    summary({ 'cli/io.ts': [90, 80], 'lab/lab.ts': [0, 0], 'bin/api.ts': [0, 0] });
    expect(checkCoverage(root)).toEqual(PASSED);
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
