import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CLEAN, PLANTED } from './lint-plants.ts';
import type { Plot } from './plant.ts';
import { makePlot } from './plant.ts';

interface FileReport {
  readonly filePath: string;
  readonly messages: readonly { readonly ruleId: string | null; readonly message: string; readonly severity: 1 | 2 }[];
}

/** Lints the planted files in one run of the real command; the rules that report an error, per file. */
function lint(plot: Plot): { status: number | null; rulesByPath: Map<string, string[]> } {
  const { status, output } = plot.run('eslint/bin/eslint.js', '.', '--format=json');
  const rulesByPath = new Map<string, string[]>();
  for (const { filePath, messages } of JSON.parse(output) as FileReport[]) {
    const errors = messages.filter((one) => one.severity === 2).map(({ ruleId, message }) => ruleId ?? message);
    rulesByPath.set(filePath.slice(plot.root.length + 1), [...new Set(errors)]);
  }
  return { status, rulesByPath };
}

describe('lint, with one violation planted per file', () => {
  let plot: Plot;
  let found: ReturnType<typeof lint>;

  beforeAll(() => {
    plot = makePlot();
    for (const { path, text } of [...PLANTED, ...CLEAN]) plot.plant(path, text);
    found = lint(plot);
  });

  afterAll(() => plot.remove());

  it('fails as a command', () => {
    expect(found.status).toBe(1);
  });

  it.each(PLANTED)('refuses $what ($path)', ({ path, rule }) => {
    expect(found.rulesByPath.get(path)).toEqual([rule]);
  });

  it.each(CLEAN)('accepts $what ($path)', ({ path }) => {
    expect(found.rulesByPath.get(path)).toEqual([]);
  });
});
