import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findStale, makePages, writePages } from '../../bin/generate/generate.ts';
import { findOperation } from '../../domain/operations.ts';
import type { Plot } from './plant.ts';
import { makePlot } from './plant.ts';

describe('the check of generated pages', () => {
  const pages = makePages(process.cwd());
  const page = 'docs/runbooks/deploy-vm.md';
  let plot: Plot;

  beforeEach(() => {
    plot = makePlot();
    writePages(plot.root, pages);
  });

  afterEach(() => plot.remove());

  it('accepts pages that say what the sources say', () => {
    expect(findStale(plot.root, pages)).toEqual([]);
  });

  it('names a page that was changed by hand', () => {
    plot.plant(page, `${pages.get(page) ?? ''}\nBy hand.\n`);

    expect(findStale(plot.root, pages)).toEqual([`${page} is out of date`]);
  });

  it('names a page that is missing', () => {
    const more = new Map([...pages, ['docs/runbooks/patch-pool.md', '# Patch a pool\n']]);

    expect(findStale(plot.root, more)).toEqual(['docs/runbooks/patch-pool.md is missing']);
  });

  it('names a page whose operation is gone', () => {
    plot.plant('docs/runbooks/old-operation.md', '# Old\n');

    expect(findStale(plot.root, pages)).toEqual(['docs/runbooks/old-operation.md belongs to no operation: delete it']);
  });

  it('writes only the pages that differ', () => {
    plot.plant(page, 'old');

    expect(writePages(plot.root, pages)).toEqual([page]);
    expect(writePages(plot.root, pages)).toEqual([]);
  });
});

describe('the runbook pages', () => {
  const page = makePages(process.cwd()).get('docs/runbooks/delete-vm.md') ?? '';

  it('show every step of the runbook in its order, with the point of no return between them', () => {
    const headings = page.match(/^### .*|^\*\*Point of no return/gm);

    expect(headings).toEqual([
      '### 1. acquireLock',
      '### 2. identifyVm',
      '### 3. shutDownVm',
      '**Point of no return',
      '### 4. destroyVm',
      '### 5. destroyDisks',
      '### 6. forgetVm',
    ]);
  });

  it('show a request that the schema of the operation accepts', () => {
    const body = /```http\nPOST \/v1\/runs\n\n([^]*?)\n```/.exec(page)?.[1] ?? '';
    const { operation, input } = JSON.parse(body) as { operation: string; input: unknown };

    expect(findOperation(operation)?.input.safeParse(input).success).toBe(true);
  });
});
