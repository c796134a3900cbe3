import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { projectRoot } from '../stack/compiled-start.ts';
import { Program } from '../stack/program.ts';

const LIMIT_MS = 300_000;

const FIGURES = [
  ...['callsPerSecond', 'bareCallsPerSecond', 'ratioToBareHttp'],
  ...['startSeconds', 'memoryMiB', 'eventP99Ms'],
];

interface Report {
  readonly bench: string;
  readonly figures: Record<string, number>;
}

describe('bench:lab', () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'switchboard-bench-test-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const run = async (...args: string[]) => {
    const program = new Program([join(projectRoot, 'dist/bench/lab.js'), ...args], folder, {});
    const code = await new Promise((resolve) => program.child.on('close', resolve));
    return { code, said: program.said };
  };

  it(
    'calls, watches and writes every figure, each of which is explained',
    async () => {
      const load = [
        '--scenario',
        'default',
        '--calls',
        '200',
        '--connections',
        '4',
        '--watchers',
        '3',
        '--changes',
        '5',
      ];
      const { code, said } = await run(...load, '--json', 'report.json');
      expect({ code, said }).toEqual({ code: 0, said });
      const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as Report;
      expect(report.bench).toBe('lab');
      expect(Object.keys(report.figures).sort()).toEqual([...FIGURES].sort());
      expect(Object.entries(report.figures).filter(([, value]) => !(value > 0))).toEqual([]);
      const page = readFileSync(join(projectRoot, 'docs', 'performance.md'), 'utf8');
      expect(FIGURES.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    'fails in a sentence when the scenario is not there',
    async () => {
      const { code, said } = await run('--scenario', 'nosuch');
      expect(said).toContain('The scenario nosuch cannot be read');
      expect(code).toBe(1);
    },
    LIMIT_MS,
  );
});
