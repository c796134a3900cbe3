import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../stack/compiled-start.ts';
import { Program } from '../stack/program.ts';

const LIMIT_MS = 600_000;

const FIGURES = [
  ...['deploymentsPerMinute', 'plainDeploymentsPerMinute', 'ratioToPlainScript'],
  ...['deploymentsPerMinuteRealLatency', 'plainDeploymentsPerMinuteRealLatency', 'ratioToPlainScriptRealLatency'],
  ...['eventsPerDeployment', 'apiStartP99Ms', 'apiReadP99Ms', 'cpuMsPerDeployment', 'workerPeakMiB', 'orphans'],
];

interface Report {
  readonly bench: string;
  readonly machine: Record<string, unknown>;
  readonly figures: Record<string, number>;
}

describe('bench:deploy', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'switchboard-bench-test-'));
    cpSync(join(projectRoot, 'dist'), join(folder, 'dist'), { recursive: true });
    symlinkSync(join(projectRoot, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const run = async () => {
    const load = ['--deployments', '3', '--concurrency', '3', '--json', 'report.json'];
    const program = new Program(['dist/bench/deploy.js', '--temporal-cli', temporalCli(), ...load], folder, {});
    const code = await new Promise((resolve) => program.child.on('close', resolve));
    return { code, said: program.said };
  };

  it(
    'deploys by both ways, sees the same effects and writes every figure, each of which is explained',
    async () => {
      const { code, said } = await run();
      expect({ code, said }).toEqual({ code: 0, said });
      const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as Report;
      expect(report.bench).toBe('deploy');
      expect(Object.keys(report.machine).sort()).toEqual(['cores', 'kernel', 'memoryGiB', 'node']);
      expect(Object.keys(report.figures).sort()).toEqual([...FIGURES].sort());
      expect(Object.entries(report.figures).filter(([, value]) => !Number.isFinite(value))).toEqual([]);
      expect(report.figures['orphans']).toBe(0);
      expect(report.figures['eventsPerDeployment']).toBeLessThanOrEqual(90);
      const page = readFileSync(join(projectRoot, 'docs', 'performance.md'), 'utf8');
      expect(FIGURES.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    'fails and names the call when the product does more to the pool than the plain script',
    async () => {
      const step = join(folder, 'dist', 'activities', 'vm', 'set-resources.js');
      const first = `await xapi.call('VM.set_memory_limits'`;
      const text = readFileSync(step, 'utf8');
      expect(text).toContain(first);
      writeFileSync(step, text.replace(first, `await xapi.call('VM.set_name_description', ref, 'planted'); ${first}`));
      const { code, said } = await run();
      expect(said).toContain('The two sides did not do the same work; different are: VM.set_name_description.');
      expect(code).toBe(1);
    },
    LIMIT_MS,
  );
});

function temporalCli(): string {
  const given = process.env['TEMPORAL_CLI_PATH'];
  if (given) return given;
  return execFileSync(process.execPath, [join(projectRoot, 'bin/tools/print-temporal-cli.js')], {
    encoding: 'utf8',
  }).trim();
}
