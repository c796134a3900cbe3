import { describe, expect, it } from '@jest/globals';
import { Program } from '../stack/program.ts';
import { program } from './support/processes.ts';
import { call, Rehearsal } from './support/rehearsal.ts';
import type { Up } from './support/rehearsal.ts';

const LIMIT_MS = 300_000;

describe('switchboard lab', () => {
  const rehearsal = new Rehearsal();
  const run = (...args: string[]) => rehearsal.run(...args);

  /** Until Ctrl-C. */
  const inFront = async (...args: string[]) => {
    const command = rehearsal.shell.start(['lab', 'up', '--json', ...args]);
    while (!command.err.text.includes('Ctrl-C ends it.')) await command.err.has(command.err.parts.length + 1);
    return { ...command, lab: JSON.parse(command.out.text) as Up };
  };

  const isAlive = (pid: number) => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };

  it(
    'starts a lab in the background, tells about it, changes it, compares it, and leaves no process',
    async () => {
      const lab = await rehearsal.up('--speed', '50');
      expect(lab.pools.map(({ id }) => id)).toEqual(['ams1']);
      expect(await run('lab', 'up')).toMatchObject({ code: 5, stderr: expect.stringContaining('running already') });

      expect(await run('lab', 'speed', '200')).toMatchObject({ code: 0 });
      const status = JSON.parse((await run('lab', 'status', '--json')).stdout) as object;
      expect(status).toMatchObject({ pid: lab.pid, speed: 200, pools: [{ id: 'ams1', hosts: 3, vms: 0 }] });
      expect((await run('lab', 'status')).stdout).toMatch(/^ams1 +http:\S+ +root +3 +0, 0 running$/m);

      const fault = [
        '--kind',
        'refused',
        '--method',
        'VM.get_all',
        '--error',
        'TOO_BUSY',
        'twice',
        '--times',
        'always',
      ];
      expect(await run('lab', 'fault', 'add', ...fault)).toMatchObject({ code: 0, stdout: 'fault-1\n' });
      expect(await call(lab, 'VM.get_all')).toMatchObject({ error: { message: 'TOO_BUSY', data: ['twice'] } });
      expect((await run('lab', 'fault', 'list')).stdout).toMatch(/^fault-1 +refused +VM\.get_all +1 /m);
      await run('lab', 'fault', 'clear', 'fault-1');
      expect(await call(lab, 'VM.get_all')).toMatchObject({ result: expect.any(Array) });

      expect((await run('lab', 'diff')).stderr).toContain('Nothing is different since up.');
      await run('lab', 'diff', '--mark', 'before');
      await call(lab, 'network.create', {
        ...{
          name_label: 'new',
          name_description: '',
          MTU: 1500,
          other_config: {},
          bridge: 'xenbr9',
          managed: true,
          tags: [],
        },
      });
      expect((await run('lab', 'diff', '--since', 'before')).stdout).toMatch(/^ams1 +added +network +new /m);
      expect(JSON.parse((await run('lab', 'diff', '--json')).stdout)).toMatchObject([
        { cls: 'network', change: 'added' },
      ]);

      const death = ['--kind', 'host-dead', '--method', 'VM.get_all', '--victim', 'ams1-h3', '--for-ms', '3600000'];
      await run('lab', 'fault', 'add', ...death);
      await call(lab, 'VM.get_all');
      const machines = async () =>
        (await (await fetch(`${lab.controlUrl}/hosts`)).json()) as { name: string; power: string }[];
      expect((await machines()).filter(({ power }) => power === 'off')).toMatchObject([{ name: 'ams1-h3' }]);
      expect((await run('lab', 'power', 'ams1-h3', 'on')).stderr).toBe('ams1-h3 is on its way back.\n');
      expect((await machines()).filter(({ power }) => power === 'off')).toEqual([]);
      expect(await run('lab', 'power', 'nosuch', 'on')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('there are: ams1-h1'),
      });

      expect(await run('lab', 'down')).toMatchObject({
        code: 0,
        stderr: expect.stringContaining('no process is left'),
      });
      expect(isAlive(lab.pid)).toBe(false);
      expect(await run('lab', 'status')).toMatchObject({
        code: 75,
        stderr: expect.stringContaining('Next: switchboard lab up'),
      });
    },
    LIMIT_MS,
  );

  it(
    'ends a lab in the foreground with Ctrl-C, and keeps its world in the file that it was given',
    async () => {
      const words = ['lab', 'up', '--state', 'world.json', '--json'];
      const { folder, env } = rehearsal;
      const inherited = { PATH: process.env['PATH'], HOME: folder };
      const child = new Program([program('switchboard'), ...words], folder, { ...inherited, ...env });
      await child.says('Ctrl-C ends it.');
      const first = JSON.parse(child.said.split('\n')[0] ?? '') as Up;
      expect(await call(first, 'network.get_by_name_label', 'new')).toMatchObject({ result: [] });
      const record = { name_description: '', MTU: 1500, other_config: {}, bridge: 'xenbr9', managed: true, tags: [] };
      await call(first, 'network.create', { ...record, name_label: 'new' });
      expect(await child.end('SIGINT')).toBe(0);
      expect(isAlive(first.pid)).toBe(false);

      const { lab: second, ...command } = await inFront('--state', 'world.json');
      const kept = await call(second, 'network.get_by_name_label', 'new');
      expect(kept).toMatchObject({ result: [expect.stringContaining('OpaqueRef:')] });
      command.interrupt();
      expect(await command.finished).toMatchObject({ code: 0 });
      expect(isAlive(second.pid)).toBe(false);
    },
    LIMIT_MS,
  );

  it(
    'says when a lab in the foreground ends by itself, and where its log is',
    async () => {
      const { lab, finished } = await inFront();
      process.kill(lab.pid, 'SIGKILL');
      const { code, stderr } = await finished;
      expect(stderr).toContain('The lab ended by itself (SIGKILL); its log is ');
      expect(code).toBe(1);
    },
    LIMIT_MS,
  );

  it(
    'says why a lab did not come up',
    async () => {
      const nosuch = await run('lab', 'up', '--scenario', 'nosuch');
      expect(nosuch).toMatchObject({ code: 1, stderr: expect.stringContaining('The scenario nosuch cannot be read') });
      expect(await run('lab', 'down')).toMatchObject({ code: 0, stderr: 'No lab of yours is running.\n' });
    },
    LIMIT_MS,
  );
});
