import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Operation } from '../../domain/operations.ts';
import { OPERATIONS } from '../../domain/operations.ts';
import { failuresPage, runbookPage } from './pages.ts';
import { readRunbook } from './sources.ts';

const RUNBOOKS = 'docs/runbooks';

/** Every generated page: path from the root → text. */
export type Pages = ReadonlyMap<string, string>;

export function makePages(root: string): Pages {
  const rows: readonly Operation[] = OPERATIONS;
  return new Map([
    ...rows.map((row) => [`${RUNBOOKS}/${row.name}.md`, runbookPage(row, readRunbook(root, row.name))] as const),
    ['docs/failures.md', failuresPage()],
  ]);
}

/** One sentence per page that does not say what the sources say, or that no source stands behind. */
export function findStale(root: string, pages: Pages): string[] {
  const outdated = [...pages].flatMap(([path, text]) => {
    if (!existsSync(join(root, path))) return [`${path} is missing`];
    return readFileSync(join(root, path), 'utf8') === text ? [] : [`${path} is out of date`];
  });
  const present = existsSync(join(root, RUNBOOKS)) ? readdirSync(join(root, RUNBOOKS)) : [];
  const orphans = present.map((name) => `${RUNBOOKS}/${name}`).filter((path) => !pages.has(path));
  return [...outdated, ...orphans.map((path) => `${path} belongs to no operation: delete it`)];
}

/** @returns the paths that were written because they differed */
export function writePages(root: string, pages: Pages): string[] {
  const changed = [...pages].filter(([path, text]) => {
    return !existsSync(join(root, path)) || readFileSync(join(root, path), 'utf8') !== text;
  });
  for (const [path, text] of changed) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return changed.map(([path]) => path);
}
