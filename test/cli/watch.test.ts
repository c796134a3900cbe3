import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { acceptRun } from '../api/support/accept-run.ts';
import { runWhen } from '../api/support/requests.ts';
import { startStandInWorker } from '../api/support/rig.ts';
import { ProcessShell, startApiProcess } from './support/processes.ts';
import { DEPLOY, openCommandLine, Shell } from './support/shell.ts';

const { rig, api, shell } = await openCommandLine();
await startStandInWorker(rig);

describe('watching a run', () => {
  it('draws the run again in place on a terminal, in lines that fit it', async () => {
    const id = (await shell.run([...DEPLOY, 'slow-drawn'])).stdout.trim();
    const columns = 50;
    const { out, finished, interrupt } = shell.start(['watch', id], { terminal: { columns, rows: 50 } });
    await out.has(3);
    interrupt();
    expect(await finished).toMatchObject({ code: 130 });
    const frames = out.parts;
    const lineCount = (frames[1] ?? '').split('\n').length - 1;
    expect(frames[2]?.startsWith(`\x1b[${lineCount}A\x1b[0J`)).toBe(true);
    const lines = frames.slice(0, -1).flatMap((frame) => stripVTControlCharacters(frame).split('\n'));
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
  });

  it('leaves a run alone at Ctrl-C and says so', async () => {
    const id = (await shell.run([...DEPLOY, 'slow-detached'])).stdout.trim();
    const { child, finished } = new ProcessShell(api).start(['watch', id]);
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    const { code, stderr } = await finished;
    expect(stderr).toContain(`run ${id} goes on`);
    expect(code).toBe(130);
    await runWhen(api.url, id, ({ state }) => state === 'running');
  });

  it('tells every event once, in order, also over an API that is killed and started again', async () => {
    const id = (await shell.run([...DEPLOY, 'slow-restarted'])).stdout.trim();
    const away = await startApiProcess(rig);
    const { out, finished } = new Shell(api.folder, away.env).start(['watch', id, '--json']);
    await out.has(1);
    const gone = once(away.child, 'exit');
    away.child.kill('SIGKILL');
    await gone;
    await startApiProcess(rig, Number(new URL(away.url).port));
    expect(await shell.run(['cancel', id])).toMatchObject({ code: 0 });
    const { code, stdout, stderr } = await finished;
    const told = linesOf(stdout).map((line) => (JSON.parse(line) as { seq: number }).seq);
    const written = await rig.store.events(id, 0);
    expect(told).toEqual(written.map(({ seq }) => seq));
    expect(stderr).toContain('Waiting for it.');
    expect(code).toBe(7);
  });

  it('follows several runs at once, names each in its lines, and exits by the worst outcome', async () => {
    const ids = [await started('quick-one'), await started('held-two')];
    const { code, stdout, stderr } = await shell.run(['watch', ...ids]);
    for (const id of ids) {
      const lines = linesOf(stdout).filter((line) => line.startsWith(`${id}  2`));
      expect(lines).toHaveLength((await rig.store.events(id, 0)).length);
    }
    expect(stderr).toContain(`switchboard retry ${ids[1] ?? ''}`);
    expect(code).toBe(6);
  });

  it('says which of the runs does not exist and ends, though the others go on', async () => {
    const id = await started('slow-beside-nothing');
    const { code, stderr } = await shell.run(['watch', id, '00000000-0000-7000-8000-000000000000']);
    expect(stderr).toContain('There is no such run.');
    expect(code).toBe(2);
  });

  it('tells how a failed run is undone, why it failed, and what is left of it', async () => {
    const { id } = await acceptRun(rig, 'deploy-vm', 'undone');
    const attempt = { runId: id, executionId: 'x', round: 1, attempt: 1, committed: false, worker: 'w' };
    const reasons = [{ object: 'ams1-h1', reason: '512 MiB free, 1024 MiB needed' }];
    const failure = { code: 'NO_HOST_FITS', message: 'No host can start it.', reasons } as const;
    await rig.log.started({ ...attempt, step: 'startVm' });
    await rig.log.failed({ ...attempt, step: 'startVm' }, failure);
    await rig.log.started({ ...attempt, step: 'startVm.undo' });
    expect((await shell.run(['show', id])).stdout).toMatch(/▶ undo startVm/);
    await rig.log.done({ ...attempt, step: 'startVm.undo' });
    await rig.log.end(id, { state: 'failed', failure, skips: [] });
    const { code, stdout } = await shell.run(['watch', id]);
    expect(stdout).toMatch(/↻ startVm {2}NO_HOST_FITS/);
    expect(stdout).toMatch(/✔ undo startVm {2}\d+\.\d s/);
    expect(stdout).toContain('    ams1-h1: 512 MiB free, 1024 MiB needed');
    expect(code).toBe(1);
  });

  it('draws on a terminal whose size is not known', async () => {
    const id = await started('quick-drawn');
    const { code, stdout } = await shell.run(['watch', id], { terminal: {} });
    expect(stripVTControlCharacters(stdout)).toContain('SUCCEEDED');
    expect(code).toBe(0);
  });

  it('tells what happens in all runs from now on with runs --follow', async () => {
    await runWhen(api.url, await started('quick-before'), ({ state }) => state === 'succeeded');
    const { out, finished, interrupt } = shell.start(['runs', '--follow']);
    const json = shell.start(['runs', '--follow', '--json']);
    const id = await startedUntil(() => Promise.all([out.has(1), json.out.has(1)]));
    json.interrupt();
    const [first = ''] = linesOf((await json.finished).stdout);
    expect(JSON.parse(first)).toMatchObject({ runId: expect.any(String), seq: expect.any(Number) });
    interrupt();
    const { code, stdout, stderr } = await finished;
    expect(stdout).toContain(id);
    expect(stdout).toContain('(Deploy VM quick-followed on pool ams1');
    expect(stdout).not.toContain('quick-before');
    expect(stderr).toContain('Detached');
    expect(code).toBe(130);
  });

  const started = async (name: string) => (await shell.run([...DEPLOY, name])).stdout.trim();

  /** The stream begins at an unknown moment: runs are started until one of them is told. */
  const startedUntil = async (told: () => Promise<unknown>) => {
    const waiting = new AbortController();
    const first = told().then(() => waiting.abort());
    for (;;) {
      const id = await started('quick-followed');
      await runWhen(api.url, id, ({ state }) => state === 'succeeded');
      if (!waiting.signal.aborted) continue;
      await first;
      return id;
    }
  };
});

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
