import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DEFAULT_TIMING } from '../../../domain/run.ts';
import { acceptRun } from '../../api/support/accept-run.ts';
import type { Rig } from '../../api/support/rig.ts';
import { engineNowhere, openRig, startStandInWorker } from '../../api/support/rig.ts';

describe('the engine', () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await openRig();
    await startStandInWorker(rig);
  });

  afterAll(() => rig.close());

  it('starts a run once, however often it is asked', async () => {
    const run = await acceptRun(rig, 'deploy-vm', 'slow-start');
    const asked = Array.from({ length: 5 }, () => rig.engine.start(run, DEFAULT_TIMING));
    expect((await Promise.all(asked)).toSorted()).toEqual([...Array<string>(4).fill('already-started'), 'started']);
  });

  it('does not start a creation again that has ended', async () => {
    const run = await acceptRun(rig, 'deploy-vm', 'quick-start');
    await rig.engine.start(run, DEFAULT_TIMING);
    await rig.client.workflow.getHandle(run.workflowId).result();
    expect(await rig.engine.start(run, DEFAULT_TIMING)).toBe('already-started');
  });

  it('refuses a run whose object another run works on, and names that run', async () => {
    const owner = await acceptRun(rig, 'delete-vm', 'slow-owned');
    await rig.engine.start(owner, DEFAULT_TIMING);
    const second = await acceptRun(rig, 'delete-vm', 'slow-owned');
    await expect(rig.engine.start(second, DEFAULT_TIMING)).rejects.toMatchObject({
      code: 'RUN_CONFLICT',
      details: { ownerRunId: owner.id, object: 'pool/ams1/vm/slow-owned' },
    });
  });

  it('refuses a workflow id that a workflow of somebody else has', async () => {
    const run = await acceptRun(rig, 'delete-vm', 'slow-foreign');
    const options = { taskQueue: 'nobody', workflowId: run.workflowId };
    await rig.client.workflow.start('something', options);
    await expect(rig.engine.start(run, DEFAULT_TIMING)).rejects.toMatchObject({ code: 'RUN_CONFLICT' });
    expect(await rig.engine.describe(run)).toBe('not-found');
  });

  it('describes the execution of this very run only, never that of another run with its workflow id', async () => {
    const name = String.raw`o'brien "2" \ %`;
    const first = await acceptRun(rig, 'delete-vm', name);
    await rig.engine.start(first, DEFAULT_TIMING);
    expect(await rig.engine.describe(first)).toBe('running');
    await rig.client.workflow.getHandle(first.workflowId).terminate();
    expect(await rig.engine.describe(first)).toBe('terminated');

    const second = await acceptRun(rig, 'delete-vm', name);
    expect(await rig.engine.describe(second)).toBe('not-found');
    await rig.engine.start(second, DEFAULT_TIMING);
    expect(await rig.engine.describe(second)).toBe('running');
    expect(await rig.engine.describe(first)).toBe('not-found');
  });

  it('gives the workflow what Temporal shows of it and no secret', async () => {
    const run = await acceptRun(rig, 'deploy-vm', 'slow-shown');
    await rig.engine.start(run, DEFAULT_TIMING);
    const shown = await rig.client.workflow.getHandle(run.workflowId).describe();
    expect(await shown.staticSummary()).toBe(run.summary);
    expect(shown.memo).toEqual({ runId: run.id, requestedBy: 'operator' });
    const attributes = Object.fromEntries(
      shown.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]),
    );
    expect(attributes).toMatchObject({
      OpsOperation: 'deploy-vm',
      OpsPool: 'ams1',
      OpsTarget: 'pool/ams1/vm/slow-shown',
      OpsState: 'running',
      OpsRequestedBy: 'operator',
    });
  });

  it('says that Temporal is away instead of waiting for it', async () => {
    const nowhere = engineNowhere(rig);
    const run = await acceptRun(rig, 'deploy-vm', 'slow-nowhere');
    const asked = [
      () => nowhere.start(run, DEFAULT_TIMING),
      () => nowhere.describe(run),
      () => nowhere.cancel(run, 'operator'),
      () => nowhere.ping(),
    ];
    for (const ask of asked) await expect(ask()).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
  });
});
