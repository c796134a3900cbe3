import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCli } from '../../cli/program.ts';
import { send } from '../api/support/requests.ts';
import type { Rig } from '../api/support/rig.ts';
import { openRig } from '../api/support/rig.ts';
import { ioFor } from './support/io.ts';
import type { ApiProcess } from './support/processes.ts';
import { Shell, startApiProcess } from './support/processes.ts';

const DELETE = ['delete-vm', '--pool', 'ams1', '--name', 'web-01'];

describe('an operation that cannot be undone', () => {
  let rig: Rig;
  let api: ApiProcess;
  let shell: Shell;

  beforeAll(async () => {
    rig = await openRig();
    api = await startApiProcess(rig);
    shell = new Shell(api);
  });

  afterAll(() => rig.close());

  const runs = async () => (await send(`${api.url}/v1/runs?operation=delete-vm`)).body.runs;

  const answering = async (answer: string, args: readonly string[] = DELETE) => {
    const told: string[] = [];
    const ask = (question: string) => (told.push(question), Promise.resolve(answer));
    const code = await runCli(args, ioFor(api, { ask, err: (text) => void told.push(text) }));
    return { code, told: told.join('') };
  };

  it('is not started where nobody can be asked, and the command to type is named', async () => {
    const { code, stderr } = await shell.run(DELETE);
    expect(stderr).toContain('Delete VM web-01 on pool ams1');
    expect(stderr).toContain('--yes');
    expect(code).toBe(2);
    expect(await runs()).toEqual([]);
  });

  it('is not started with --no-input, though somebody is there', async () => {
    expect(await answering('web-01', [...DELETE, '--no-input'])).toMatchObject({ code: 2 });
    expect(await runs()).toEqual([]);
  });

  it('is not started when another name is typed', async () => {
    const { code, told } = await answering('web-02');
    expect(told).toContain('Type web-01 to go on: ');
    expect(told).toContain('That is not web-01; nothing was started.');
    expect(code).toBe(2);
    expect(await runs()).toEqual([]);
  });

  it('asks nobody about an input that is not complete', async () => {
    const { code, told } = await answering('web-01', ['delete-vm', '--pool', 'ams1']);
    expect(told).not.toContain('Type');
    expect(told).toContain('--name: ');
    expect(code).toBe(2);
  });

  it('is started when its name is typed', async () => {
    expect(await answering('web-01')).toMatchObject({ code: 0 });
    expect(await runs()).toHaveLength(1);
  });

  it('is started with --yes, with its input on stdin', async () => {
    const file = join(api.folder, 'delete.json');
    writeFileSync(file, JSON.stringify({ pool: 'ams1', name: 'web-03' }));
    const { stdout, code } = await shell.run(['delete-vm', '--file', '-', '--yes'], {}, file);
    expect(code).toBe(0);
    expect((await runs()).map(({ id }) => id)).toContain(stdout.trim());
  });
});

describe('a secret', () => {
  it('is not taken from the command line itself', async () => {
    const rig = await openRig();
    const shell = new Shell(await startApiProcess(rig));
    const { code, stderr } = await shell.run(['deploy-vm', '--user-data', '#cloud-config\npassword: hunter2\n']);
    expect(stderr).toContain('give @path of a file');
    expect(code).toBe(2);
    await rig.close();
  });
});
