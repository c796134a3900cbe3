import { cliPage } from './generate/cli-page.ts';
import { makeClient } from './generate/client.ts';
import { findStale, makePages, writePages } from './generate/generate.ts';

/** `node dist/bin/generate.js [--check]`, from the root of the repository: writes (or judges) the generated
 * pages of docs/ and the types of the command line's client. */
const root = process.cwd();
const isCheck = process.argv.includes('--check');

const pages = new Map([...makePages(root), await makeClient(), ['docs/cli.md', cliPage()]]);
if (isCheck) {
  const stale = findStale(root, pages);
  for (const sentence of stale) console.error(`${sentence}. Run: node dist/bin/generate.js`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  for (const path of writePages(root, pages)) console.log(`wrote ${path}`);
}
