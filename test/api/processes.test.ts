import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DEFAULT_TIMING } from '../../domain/run.ts';
import { startApiProcess } from '../cli/support/processes.ts';
import { acceptRun } from './support/accept-run.ts';
import { EventClient } from './support/event-client.ts';
import { deployInput, postRun, runWhen, send } from './support/requests.ts';
import type { Rig } from './support/rig.ts';
import { openRig, startStandInWorker } from './support/rig.ts';
import { tableOf } from './support/write-events.ts';

describe('the API as a process', () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await openRig();
  });

  afterAll(() => rig.close());

  it('is killed again and again in the middle of streams, and their clients miss nothing and see nothing twice', async () => {
    const run = await acceptRun(rig, 'deploy-vm', 'kill-stream');
    // Without a workflow the reconciler of the process would close the run.
    await rig.engine.start(run, DEFAULT_TIMING);
    let api = await startApiProcess(rig);
    const one = new EventClient(`${api.url}/v1/runs/${run.id}/events`);
    const all = new EventClient(`${api.url}/v1/events`, { after: 0 });
    const enough = new AbortController();
    const writing = writeSlowly(rig, run.id, enough.signal);
    for (let kills = 0; kills < 3; kills += 1) {
      for (const client of [one, all]) await client.connect(api.url);
      const seen = one.events.length;
      await one.until(({ events }) => events.length > seen + 3);
      api.child.kill('SIGKILL');
      await Promise.all([one.ended(), all.ended(), api.ended]);
      api = await startApiProcess(rig);
    }
    enough.abort();
    await writing;
    await rig.client.workflow.getHandle(run.workflowId).terminate();
    for (const client of [one, all]) await client.connect(api.url);
    await one.ended();
    const table = await tableOf(rig);
    expect(one.events).toHaveLength(table.length);
    await all.until(({ events }) => events.length >= table.length);
    await all.close();
    expect(one.events.map(({ id }) => id)).toEqual(one.events.map((_, index) => index + 1));
    expect(all.events.map(({ id, data: { runId, seq } }) => ({ position: id, runId, seq }))).toEqual(table);
  });

  it('ends well at SIGTERM with a stream, a long poll and an activity at work; the run goes on', async () => {
    const api = await startApiProcess(rig);
    await startStandInWorker(rig);
    const { body } = await postRun(api.url, 'deploy-vm', deployInput('slow-term'));
    const { id } = body.run;
    await runWhen(api.url, id, ({ currentStep }) => currentStep === 'cloneVm');
    const { seq } = (await send(`${api.url}/v1/runs/${id}`)).body.run as unknown as { seq: number };
    const client = new EventClient(`${api.url}/v1/runs/${id}/events`);
    await client.connect();
    await client.until(({ events }) => events.length >= seq);
    const waiting = send(`${api.url}/v1/runs/${id}?wait=60`);
    await delay(300);
    api.child.kill('SIGTERM');
    expect(await waiting).toMatchObject({ status: 200, body: { run: { state: 'running' } } });
    await client.ended();
    expect(await api.ended).toBe(0);
    expect(api.logged()).toContain('draining');

    const next = await startApiProcess(rig);
    await client.connect(next.url);
    await rig.client.workflow.getHandle(`deploy-vm/${id}`).signal('finish');
    await client.ended();
    expect(client.events.at(-1)?.data).toMatchObject({ state: 'succeeded' });
    expect(client.events.map(({ id: number }) => number)).toEqual(client.events.map((_, index) => index + 1));
  });
});

/** Events all the time, while the API comes and goes, and then the end of the run. */
async function writeSlowly(rig: Rig, runId: string, enough: AbortSignal): Promise<void> {
  for (let step = 1; !enough.aborted; step += 1) {
    const attempt = { runId, executionId: 'x', round: 1, attempt: 1, committed: false, worker: 'writer' };
    await rig.log.started({ ...attempt, step: `step${step}` });
    await rig.log.done({ ...attempt, step: `step${step}` });
    await delay(20);
  }
  await rig.log.end(runId, { state: 'succeeded', skips: [] });
}
