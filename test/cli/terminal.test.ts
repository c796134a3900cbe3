import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { runWhen, send } from '../api/support/requests.ts';
import { startStandInWorker } from '../api/support/rig.ts';
import { outcomeOf, ProcessShell, PSEUDO_TERMINAL } from './support/processes.ts';
import { DEPLOY, openCommandLine } from './support/shell.ts';

const hasTerminal = spawnSync(PSEUDO_TERMINAL, ['-qec', 'true', '/dev/null'], { input: '' }).status === 0;
const itHere = hasTerminal ? it : it.skip;

const { rig, api, shell } = await openCommandLine();
await startStandInWorker(rig);
const processes = new ProcessShell(api);

describe('on a terminal', () => {
  const typed = async (args: readonly string[], keys: string, env: Record<string, string> = {}) => {
    const file = join(api.folder, 'keys');
    writeFileSync(file, keys);
    return processes.onTerminal(args, file, env);
  };

  itHere('watch draws the steps in place and in colour, and leaves the whole tree behind', async () => {
    const id = (await shell.run([...DEPLOY, 'held-tree'])).stdout.trim();
    await runWhen(api.url, id, ({ state }) => state === 'needs-operator');
    const { code, stdout } = await typed(['watch', id], '');
    expect(stdout).toContain('\x1b[32m✔\x1b[39m acquireLock');
    expect(stdout).toContain('A\x1b[0J');
    expect(stripVTControlCharacters(stdout)).toContain('NEEDS-OPERATOR');
    expect(stdout).toContain(`switchboard retry ${id}`);
    expect(code).toBe(6);
  });

  itHere('NO_COLOR takes the colours away', async () => {
    const id = (await shell.run([...DEPLOY, 'quick-grey'])).stdout.trim();
    await runWhen(api.url, id, ({ state }) => state === 'succeeded');
    const { stdout } = await typed(['show', id], '', { NO_COLOR: '1' });
    expect(stdout).toContain('✔ acquireLock');
    expect(stdout).not.toContain('\x1b[32m');
  });

  it('FORCE_COLOR brings them into a pipe, unless NO_COLOR is there as well', async () => {
    const id = (await shell.run([...DEPLOY, 'quick-green'])).stdout.trim();
    await runWhen(api.url, id, ({ state }) => state === 'succeeded');
    expect((await shell.run(['show', id], { env: { FORCE_COLOR: '1' } })).stdout).toContain('\x1b[32m✔\x1b[39m');
    const both = { FORCE_COLOR: '1', NO_COLOR: '1' };
    expect((await shell.run(['show', id], { env: both })).stdout).not.toContain('\x1b');
  });

  itHere('a destructive operation starts when its name is typed, and not when another one is', async () => {
    const remove = ['delete-vm', '--pool', 'ams1', '--name', 'quick-gone'];
    const refused = await typed(remove, 'quick-here\n');
    expect(refused.stdout).toContain('Type quick-gone to go on');
    expect(refused.code).toBe(2);
    expect(await typed(remove, 'quick-gone\n')).toMatchObject({ code: 0 });
    expect((await send(`${api.url}/v1/runs?operation=delete-vm`)).body.runs).toHaveLength(1);
  });
});

describe('the program itself', () => {
  it('says its version', async () => {
    expect((await processes.run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('says its verbs with examples, and which one was meant', async () => {
    expect((await shell.run(['help', 'deploy-vm'])).stdout).toContain(
      'switchboard deploy-vm --pool ams1 --name web-01',
    );
    expect((await shell.run(['help'])).stdout).toContain('Exit codes: 0 done');
    expect((await shell.run(['shwo'])).stderr).toContain('Did you mean show?');
  });

  it('ends quietly when the reader of its pipe has seen enough', async () => {
    const { child } = processes.start(['runs', '--json']);
    child.stdout.destroy();
    expect(await outcomeOf(child)).toMatchObject({ code: 0, stderr: '' });
  });
});
