import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkArchitecture } from '../architecture/check.ts';
import { CLEAN_TREE, PLANTED } from './architecture-plants.ts';
import type { Plot } from './plant.ts';
import { makePlot } from './plant.ts';

describe('the architecture check, with one violation planted in a clean tree', () => {
  let plot: Plot;

  beforeEach(() => {
    plot = makePlot();
    for (const [path, text] of Object.entries(CLEAN_TREE)) plot.plant(path, text);
  });

  afterEach(() => plot.remove());

  it('accepts the clean tree', () => {
    expect(checkArchitecture(plot.root)).toEqual([]);
  });

  it.each(PLANTED)('refuses $what ($rule)', ({ rule, files }) => {
    for (const [path, text] of Object.entries(files)) plot.plant(path, text);

    const rules = checkArchitecture(plot.root).map((one) => one.rule);

    expect([...new Set(rules)]).toEqual([rule]);
  });
});
