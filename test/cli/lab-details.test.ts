import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { serve } from './support/other-server.ts';
import { call, Rehearsal } from './support/rehearsal.ts';
import type { Up } from './support/rehearsal.ts';

const LIMIT_MS = 300_000;

describe('the commands of switchboard lab', () => {
  const rehearsal = new Rehearsal();
  const run = (...args: string[]) => rehearsal.run(...args);

  it(
    'plans faults from flags, a file or stdin, lists and forgets them, and says what is wrong with one',
    async () => {
      await rehearsal.up();
      const fault = (...args: string[]) => run('lab', 'fault', ...args);
      expect(await fault('list')).toMatchObject({
        stdout: '',
        stderr: expect.stringContaining('No fault is planned.'),
      });
      writeFileSync(
        join(rehearsal.folder, 'faults.yaml'),
        '- {kind: cut, method: VM.clone}\n- {kind: sr-full, object: shared}\n',
      );
      expect(await fault('add', '--file', 'faults.yaml')).toMatchObject({ stdout: 'fault-1\nfault-2\n' });
      const typed = ['--kind', 'slow', '--delay-ms', '10', '--times', '2', '--nth', '1000', '--json'];
      const [planned] = JSON.parse((await fault('add', ...typed)).stdout) as object[];
      expect(planned).toEqual({ id: 'fault-3', fired: 0, fault: { kind: 'slow', delayMs: 10, times: 2, nth: 1000 } });
      const piped = await rehearsal.shell.run(['lab', 'fault', 'add', '--file', '-'], { stdin: 'kind: never-boots' });
      expect(piped).toMatchObject({ stdout: 'fault-4\n' });
      expect((await fault('list')).stdout).toMatch(/^fault-3 +slow +every call +0 +delayMs=10 nth=1000 times=2$/m);

      for (const [args, words] of [
        [['--kind', 'explode'], 'kind: has to be one of refused, '],
        [['--kind', 'cut', '--nth', 'first'], '"first" is no number'],
        [['--kind', 'cut', '--file', 'faults.yaml'], 'by --file or by flags, not by both'],
        [['--file', 'nowhere.yaml'], 'The faults in nowhere.yaml cannot be read'],
      ] as const) {
        expect(await fault('add', ...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(words) });
      }
      const broken = await rehearsal.shell.run(['lab', 'fault', 'add', '--file', '-'], { stdin: '{' });
      expect(broken).toMatchObject({ code: 2, stderr: expect.stringContaining('nothing was planned') });

      expect(await fault('clear', 'fault-1', 'fault-2')).toMatchObject({ stderr: 'Forgotten: fault-1, fault-2.\n' });
      expect(await fault('clear', 'fault-1')).toMatchObject({ code: 2, stderr: expect.stringContaining('not known') });
      expect(await fault('clear')).toMatchObject({ stderr: 'All faults are forgotten.\n' });
      expect(await fault('list', '--json')).toMatchObject({ stdout: '[]\n' });
    },
    LIMIT_MS,
  );

  it(
    'introduces the pools of a scenario, and shows which hosts are gone and what changed',
    async () => {
      const pools = ['ams1', 'fra1'].map((id) => ({
        ...{ id, password: `pass-${id}`, hosts: [{ name: `${id}-h{n}`, count: 2, memoryGiB: 16, cpus: 4 }] },
        ...{ srs: [{ name: 'shared', sizeGiB: 100 }], networks: [{ name: 'tenant' }] },
      }));
      writeFileSync(join(rehearsal.folder, 'two.yaml'), JSON.stringify({ description: 'Two pools.', pools }));
      const { stdout, stderr } = await run('lab', 'up', '--scenario', './two.yaml', '--detach');
      expect(stdout).toMatch(/^fra1 +http:\S+ +root +2 +0, 0 running$/m);
      expect(stderr).toContain('The password of the first pool is pass-ams1.');
      const [controlUrl = ''] = /http:\S+/.exec(stderr) ?? [];
      expect((await run('lab', 'status', '--control', controlUrl)).stdout).toContain('fra1');

      const lab = { pid: 0, controlUrl, pools: (await (await fetch(`${controlUrl}/pools`)).json()) as Up['pools'] };
      const { result } = (await call(lab, 'host.get_by_name_label', 'ams1-h2')) as { result: string[] };
      await call(lab, 'host.set_name_description', result[0], 'to be replaced');
      await call(lab, 'host.set_other_config', result[0], {
        owner: 'somebody whose address is longer than a line has room',
      });
      const { stdout: changes } = await run('lab', 'diff');
      expect(changes).toMatch(/^ams1 +changed +host +ams1-h2 .*name_description: ".*" → "to be replaced"/m);
      expect(changes).toMatch(/other_config(;|$)/m);
      await call(lab, 'host.disable', result[0]);
      await call(lab, 'host.shutdown', result[0]);
      expect((await run('lab', 'status')).stdout).toMatch(/^ams1 .* 1 of 2 live /m);
    },
    LIMIT_MS,
  );

  it(
    'leaves no lab behind when Ctrl-C comes while it starts',
    async () => {
      const { interrupt, finished } = rehearsal.shell.start(['lab', 'up']);
      interrupt();
      expect(await finished).toMatchObject({ code: 130 });
      expect(await run('lab', 'down')).toMatchObject({ stderr: 'No lab of yours is running.\n' });
    },
    LIMIT_MS,
  );

  it('says what is wrong with a speed or a control port', async () => {
    expect(await run('lab', 'speed', 'fast')).toMatchObject({ code: 2, stderr: expect.stringContaining('"fast"') });
    const away = await run('lab', 'status', '--control', 'http://127.0.0.1:9');
    expect(away).toMatchObject({ code: 75, stderr: expect.stringMatching(/does not answer \(bad port\)/) });
    const { url, server } = await serve((_request, response) => void response.end('<html>'));
    const other = await run('lab', 'status', '--control', url);
    expect(other).toMatchObject({ code: 75, stderr: expect.stringContaining("not as a lab's control port does") });
    server.close();
  });

  it('stops asking a lab that does not answer at Ctrl-C', async () => {
    const { url, server } = await serve(() => undefined);
    const { interrupt, finished } = rehearsal.shell.start(['lab', 'status', '--control', url]);
    await once(server, 'request');
    interrupt();
    expect(await finished).toMatchObject({ code: 130, stderr: 'Interrupted.\n' });
    server.closeAllConnections();
    server.close();
  });
});
