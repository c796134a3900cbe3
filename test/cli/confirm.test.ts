import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { send } from '../api/support/requests.ts';
import { ProcessShell } from './support/processes.ts';
import { openCommandLine } from './support/shell.ts';

const { api, shell } = await openCommandLine();

const DELETE = ['delete-vm', '--pool', 'ams1', '--name', 'web-01'];

describe('an operation that cannot be undone', () => {
  const runs = async () => (await send(`${api.url}/v1/runs?operation=delete-vm`)).body.runs;

  const answering = async (keys: string, args: readonly string[] = DELETE) =>
    shell.run(args, { terminal: { columns: 100, rows: 40 }, keys });

  it('is not started where nobody can be asked, and the command to type is named', async () => {
    const { code, stderr } = await shell.run(DELETE);
    expect(stderr).toContain('Delete VM web-01 on pool ams1');
    expect(stderr).toContain('--yes');
    expect(code).toBe(2);
    expect(await runs()).toEqual([]);
  });

  it('is not started with --no-input, though somebody is there', async () => {
    expect(await answering('web-01\n', [...DELETE, '--no-input'])).toMatchObject({ code: 2 });
    expect(await runs()).toEqual([]);
  });

  it('is not started when another name is typed', async () => {
    const { code, stderr } = await answering('web-02\n');
    expect(stderr).toContain('Type web-01 to go on: ');
    expect(stderr).toContain('That is not web-01; nothing was started.');
    expect(code).toBe(2);
    expect(await runs()).toEqual([]);
  });

  it('asks nobody about an input that is not complete', async () => {
    const { code, stderr } = await answering('web-01\n', ['delete-vm', '--pool', 'ams1']);
    expect(stderr).not.toContain('Type');
    expect(stderr).toContain('--name: ');
    expect(code).toBe(2);
  });

  it('is not started when the input ends before anything is typed', async () => {
    expect(await answering('')).toMatchObject({ code: 2, stderr: expect.stringContaining('nothing was started') });
  });

  it('is not started when Ctrl-C is pressed instead of an answer', async () => {
    const { err, finished, interrupt } = shell.start(DELETE, { terminal: {} });
    await err.has(1);
    interrupt();
    expect(await finished).toMatchObject({ code: 130, stderr: expect.stringContaining('nothing was started') });
  });

  it('is started when its name is typed', async () => {
    expect(await answering('web-01\n')).toMatchObject({ code: 0 });
    expect(await runs()).toHaveLength(1);
  });

  it('is started with --yes, with its input on stdin', async () => {
    const file = join(api.folder, 'delete.json');
    writeFileSync(file, JSON.stringify({ pool: 'ams1', name: 'web-03' }));
    const { stdout, code } = await new ProcessShell(api).run(['delete-vm', '--file', '-', '--yes'], file);
    expect(code).toBe(0);
    expect((await runs()).map(({ id }) => id)).toContain(stdout.trim());
  });
});

describe('a secret', () => {
  it('is not taken from the command line itself', async () => {
    const { code, stderr } = await shell.run(['deploy-vm', '--user-data', '#cloud-config\npassword: hunter2\n']);
    expect(stderr).toContain('give @path of a file');
    expect(code).toBe(2);
  });
});
