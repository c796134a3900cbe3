import { findStale, makePages, writePages } from './generate/generate.ts';

/** `node dist/bin/generate.js [--check]`, from the root of the repository: writes (or judges) the generated pages of docs/. */
const root = process.cwd();
const isCheck = process.argv.includes('--check');

const pages = makePages(root);
if (isCheck) {
  const stale = findStale(root, pages);
  for (const sentence of stale) console.error(`${sentence}. Run: node dist/bin/generate.js`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  for (const path of writePages(root, pages)) console.log(`wrote ${path}`);
}
