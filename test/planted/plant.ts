import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const repository = process.cwd();

/** A folder that looks like this repository to the tools: their real configuration, and only the planted sources. */
export interface Plot {
  readonly root: string;
  plant(path: string, text: string): void;
  /** Runs a program of node_modules as the checks do. */
  run(program: string, ...args: string[]): { readonly status: number | null; readonly output: string };
  remove(): void;
}

const CONFIGURATION = [
  'package.json',
  'tsconfig.json',
  'eslint.config.js',
  '.prettierrc.json',
  '.prettierignore',
  'knip.json',
  'test/architecture/generated-files.json',
];

export function makePlot(): Plot {
  const root = mkdtempSync(join(tmpdir(), 'switchboard-planted-'));
  for (const path of CONFIGURATION) cpSync(join(repository, path), join(root, path));
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'));
  return {
    root,
    plant: (path, text) => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    },
    run: (program, ...args) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [join('node_modules', program), ...args], {
        cwd: root,
        encoding: 'utf8',
      });
      return { status, output: stdout + stderr };
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
