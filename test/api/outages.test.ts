import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { deployInput, postRun, runWhen, send } from './support/requests.ts';
import type { Rig } from './support/rig.ts';
import { engineNowhere, openRig, reconcilerOf, serveApi, startStandInWorker, storeNowhere } from './support/rig.ts';

describe('while something is away', () => {
  let rig: Rig;
  let api: string;
  let withoutTemporal: string;
  let withoutDatabase: string;

  beforeAll(async () => {
    rig = await openRig();
    api = await serveApi(rig);
    withoutTemporal = await serveApi(rig, { engine: engineNowhere(rig) });
    withoutDatabase = await serveApi(rig, { store: storeNowhere(rig) });
  });

  afterAll(() => rig.close());

  it('keeps a run that Temporal could not start, bound to its key, and starts it exactly once afterwards', async () => {
    const key = randomUUID();
    const refused = await postRun(withoutTemporal, 'deploy-vm', deployInput('quick-later'), key);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(refused.body).toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
    const id = refused.body.runId ?? '';
    expect(await postRun(withoutTemporal, 'deploy-vm', deployInput('quick-later'), key)).toMatchObject({
      status: 503,
      body: { runId: id },
    });
    expect(await send(`${api}/v1/runs/${id}`)).toMatchObject({ status: 200, body: { run: { state: 'accepted' } } });

    await startStandInWorker(rig);
    const rounds = await Promise.all([reconcilerOf(rig).runOnce(), reconcilerOf(rig).runOnce()]);
    expect(rounds.flatMap(({ started }) => started)).toEqual([id]);
    const run = await runWhen(api, id, ({ state }) => state === 'succeeded');
    expect(run.steps).toMatchObject([{ attempts: 1 }, { attempts: 2 }]);
    expect(await postRun(api, 'deploy-vm', deployInput('quick-later'), key)).toMatchObject({
      status: 202,
      body: { run: { id, state: 'succeeded' } },
    });
  });

  it('says of an action that Temporal is away, with the run and without the hint for starts', async () => {
    const { body } = await postRun(api, 'deploy-vm', deployInput('slow-away'));
    const answer = await send(`${withoutTemporal}/v1/runs/${body.run.id}/cancel`, { method: 'POST' });
    expect(answer).toMatchObject({ status: 503, body: { code: 'ENGINE_UNAVAILABLE', runId: body.run.id } });
    expect(answer.body.hint).toContain('Look at the run');
  });

  it('starts nothing without its database', async () => {
    for (const answer of [
      await postRun(withoutDatabase, 'deploy-vm', deployInput('quick-nowhere')),
      await send(`${withoutDatabase}/v1/runs`),
    ]) {
      expect(answer).toMatchObject({ status: 503, body: { code: 'STORE_UNAVAILABLE' } });
      expect(answer.headers.get('retry-after')).toBe('5');
    }
    expect(JSON.stringify((await send(`${api}/v1/runs?limit=200`)).body)).not.toContain('quick-nowhere');
  });

  it('is alive all the same, and ready only when nothing is missing', async () => {
    for (const url of [api, withoutTemporal, withoutDatabase]) expect((await send(`${url}/healthz`)).status).toBe(200);
    expect(await send(`${api}/readyz`)).toMatchObject({ status: 200, body: { status: 'ready' } });
    expect(await send(`${withoutTemporal}/readyz`)).toMatchObject({
      status: 503,
      body: { database: 'up', temporal: 'away' },
    });
    expect(await send(`${withoutDatabase}/readyz`)).toMatchObject({
      status: 503,
      body: { database: 'away', temporal: 'up' },
    });
  });
});
