import { mkdirSync, mkdtempSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const projectRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const quietPart = `
console.log(JSON.stringify({ ready: true, pid: process.pid, controlUrl: 'http://127.0.0.1:1', pools: [
  { id: 'ams1', hostAddresses: ['127.0.7.1'], port: 1, user: 'root', password: 'secret', certificateFingerprints: [] },
] }));
process.on('SIGTERM', () => process.exit(0));
setInterval(() => {}, 1000);
`;

/**
 * Compiles `start` and its stack into a temporary folder, with programs that do nothing in place of worker, lab and API:
 * what is tested is how parts are started, watched and stopped. PostgreSQL and Temporal are the real ones.
 * @returns the folder; start is `bin/start.js` in it
 */
export function compileStart(): string {
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-start-'));
  mkdirSync(join(folder, 'bin', 'stack'), { recursive: true });
  symlinkSync(join(projectRoot, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  const stack = readdirSync(join(projectRoot, 'bin', 'stack')).map((name) => join('bin', 'stack', name));
  for (const path of ['bin/start.ts', ...stack]) {
    const { outputText } = ts.transpileModule(readFileSync(join(projectRoot, path), 'utf8'), {
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
        rewriteRelativeImportExtensions: true,
      },
    });
    writeFileSync(join(folder, path.replace(/ts$/, 'js')), outputText);
  }
  for (const name of ['worker', 'lab', 'api']) writeFileSync(join(folder, 'bin', `${name}.js`), quietPart);
  return folder;
}
