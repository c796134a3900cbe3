import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCli } from '../../cli/program.ts';
import { runWhen } from '../api/support/requests.ts';
import type { Rig } from '../api/support/rig.ts';
import { openRig, startStandInWorker, TOKEN } from '../api/support/rig.ts';
import type { ApiProcess } from './support/processes.ts';
import { Shell, startApiProcess } from './support/processes.ts';

const DEPLOY = ['deploy-vm', '--pool', 'ams1', '--template', 'debian-12', '--networks', 'tenant', '--name'];

describe('watching a run', () => {
  let rig: Rig;
  let api: ApiProcess;
  let shell: Shell;

  beforeAll(async () => {
    rig = await openRig();
    await startStandInWorker(rig);
    api = await startApiProcess(rig);
    shell = new Shell(api);
  });

  afterAll(() => rig.close());

  it('draws the run again in place on a terminal, in lines that fit it', async () => {
    const id = (await shell.run([...DEPLOY, 'slow-drawn'])).stdout.trim();
    const frames: string[] = [];
    const columns = 50;
    const detach = new AbortController();
    const code = await runCli(['watch', id], {
      out: (text) => {
        frames.push(text);
        if (frames.length === 3) detach.abort();
      },
      err: () => undefined,
      terminal: { columns },
      color: true,
      serverUrl: api.url,
      token: TOKEN,
      interrupted: detach.signal,
    });
    expect(code).toBe(130);
    const lineCount = (frames[1] ?? '').split('\n').length - 1;
    expect(frames[2]?.startsWith(`\x1b[${lineCount}A\x1b[0J`)).toBe(true);
    const lines = frames.flatMap((frame) => stripVTControlCharacters(frame).split('\n'));
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
  });

  it('leaves a run alone at Ctrl-C and says so', async () => {
    const id = (await shell.run([...DEPLOY, 'slow-detached'])).stdout.trim();
    const { child, finished } = shell.start(['watch', id]);
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    const { code, stderr } = await finished;
    expect(stderr).toContain(`run ${id} goes on`);
    expect(code).toBe(130);
    await runWhen(api.url, id, ({ state }) => state === 'running');
  });

  it('goes on when the API was killed and is there again', async () => {
    const id = (await shell.run([...DEPLOY, 'slow-restarted'])).stdout.trim();
    const { child, finished } = shell.start(['watch', id]);
    await once(child.stdout, 'data');
    const gone = once(api.child, 'exit');
    api.child.kill('SIGKILL');
    await gone;
    const again = await startApiProcess(rig, Number(new URL(api.url).port));
    expect(await new Shell(again).run(['cancel', id])).toMatchObject({ code: 0 });
    expect(await finished).toMatchObject({ code: 7, stderr: '' });
  });
});
