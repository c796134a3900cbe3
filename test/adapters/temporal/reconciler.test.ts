import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunRow } from '../../../adapters/postgres/rows.ts';
import { Reconciler } from '../../../adapters/temporal/reconciler.ts';
import { DEFAULT_TIMING } from '../../../domain/run.ts';
import { acceptRun } from '../../api/support/accept-run.ts';
import type { Rig } from '../../api/support/rig.ts';
import { engineNowhere, openRig, reconcilerOf, startStandInWorker, storeNowhere } from '../../api/support/rig.ts';

describe('the reconciler', () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await openRig();
    await startStandInWorker(rig);
  });

  afterAll(() => rig.close());

  const rowWhen = async (id: string, wanted: (run: RunRow) => boolean): Promise<RunRow> => {
    for (;;) {
      const run = await rig.store.get(id);
      if (run !== undefined && wanted(run)) return run;
      await delay(20);
    }
  };
  /** The stand-in writes its last event, the start of cloneVm's second attempt, and rests. */
  const atWork = async (operation: 'deploy-vm' | 'delete-vm', name: string) => {
    const run = await acceptRun(rig, operation, name);
    await rig.engine.start(run, DEFAULT_TIMING);
    while (!(await rig.store.events(run.id, 0)).some(({ attempt }) => attempt === 2)) await delay(20);
    return rowWhen(run.id, ({ currentStep }) => currentStep === 'cloneVm');
  };

  it('starts what a crash between the row and the start left behind, once for all that look', async () => {
    const run = await acceptRun(rig, 'deploy-vm', 'quick-orphan');
    const rounds = await Promise.all(Array.from({ length: 4 }, () => reconcilerOf(rig).runOnce()));
    expect(rounds.flatMap(({ started }) => started)).toEqual([run.id]);
    await rowWhen(run.id, ({ state }) => state === 'succeeded');
    expect((await rig.store.events(run.id, 0)).filter(({ kind }) => kind === 'step-started')).toHaveLength(3);
  });

  it('leaves a row alone that is younger than the grace its request has', async () => {
    const run = await acceptRun(rig, 'deploy-vm', 'slow-young');
    const patient = { intervalMs: 50, openIntervalMs: 50, graceMs: 3_600_000, report: () => undefined };
    const { started } = await new Reconciler(rig.store, rig.engine, DEFAULT_TIMING, patient).runOnce();
    expect(started).toEqual([]);
    expect(await rig.engine.describe(run)).toBe('not-found');
  });

  it('closes a run whose workflow was terminated and says what is still owed', async () => {
    const run = await atWork('deploy-vm', 'slow-terminated');
    await rig.client.workflow.getHandle(run.workflowId).terminate('by hand');
    const { closed } = await reconcilerOf(rig).runOnce();
    expect(closed).toContain(run.id);
    const { state, failure } = await rowWhen(run.id, ({ endedAt }) => endedAt !== undefined);
    expect(state).toBe('failed');
    expect(failure?.code).toBe('ENGINE_TERMINATED');
    expect(failure?.message).toContain('Still owed: remove VM web-01 (vm-1)');
    expect(failure?.message).toContain('at step cloneVm');
    expect((await rig.store.ledger(run.id)).map((entry) => entry.state)).toEqual(['owed']);
  });

  it('closes a run that was terminated before its first step instead of starting it again', async () => {
    const run = await acceptRun(rig, 'delete-vm', 'silent-terminated');
    await rig.engine.start(run, DEFAULT_TIMING);
    await rig.client.workflow.getHandle(run.workflowId).terminate();
    const { started, closed } = await reconcilerOf(rig).runOnce();
    expect(closed).toContain(run.id);
    expect(started).not.toContain(run.id);
    expect(await rowWhen(run.id, ({ state }) => state === 'failed')).toMatchObject({
      failure: { code: 'ENGINE_TERMINATED' },
    });
  });

  it('closes a run that Temporal no longer knows', async () => {
    const run = await acceptRun(rig, 'deploy-vm', 'slow-unknown');
    const attempt = { runId: run.id, executionId: 'x', step: 'cloneVm', round: 1, attempt: 1, worker: 'gone' };
    await rig.log.started({ ...attempt, committed: false });
    const { closed } = await reconcilerOf(rig).runOnce();
    expect(closed).toContain(run.id);
    expect((await rowWhen(run.id, ({ state }) => state === 'failed')).failure?.message).toContain(
      'no longer known to Temporal',
    );
  });

  it('closes a row whose object belongs to another run by now', async () => {
    const owner = await atWork('delete-vm', 'slow-taken');
    const late = await acceptRun(rig, 'delete-vm', 'slow-taken');
    const { closed } = await reconcilerOf(rig).runOnce();
    expect(closed).toContain(late.id);
    expect(await rowWhen(late.id, ({ state }) => state === 'failed')).toMatchObject({
      failure: { code: 'RUN_CONFLICT', ownerRunId: owner.id },
    });
  });

  it('leaves runs at work and runs that have ended as they are', async () => {
    const working = await atWork('deploy-vm', 'slow-working');
    const { started, closed } = await reconcilerOf(rig).runOnce();
    expect([...started, ...closed]).not.toContain(working.id);
    expect(await rig.store.get(working.id)).toEqual(working);
  });

  it('goes on with the others when one row cannot be settled', async () => {
    const broken = await acceptRun(rig, 'deploy-vm', 'quick-broken');
    await rig.db.updateTable('runs').set({ operation: 'no-such' }).where('id', '=', broken.id).execute();
    const good = await acceptRun(rig, 'deploy-vm', 'quick-good');
    const troubles: unknown[] = [];
    const reconciler = reconcilerOf(rig, troubles);
    expect((await reconciler.runOnce()).started).toContain(good.id);
    await reconciler.runOnce();
    expect(troubles.map(String)).toEqual([expect.stringContaining(broken.id)]);
    await rig.store.close(broken.id, { state: 'failed', skips: [] });
  });

  it('tells once that Temporal or PostgreSQL is away and goes on trying', async () => {
    const run = await acceptRun(rig, 'deploy-vm', 'quick-patience');
    const troubles: unknown[] = [];
    const options = {
      intervalMs: 10,
      openIntervalMs: 10,
      graceMs: 0,
      report: (trouble: unknown) => void troubles.push(trouble),
    };
    const away = new Reconciler(storeNowhere(rig), engineNowhere(rig), DEFAULT_TIMING, options);
    away.start();
    await delay(300);
    await away.stop();
    expect(troubles).toMatchObject([{ code: 'STORE_UNAVAILABLE' }]);
    const noEngine = new Reconciler(rig.store, engineNowhere(rig), DEFAULT_TIMING, options);
    await expect(noEngine.runOnce()).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });

    const back = reconcilerOf(rig);
    back.start();
    await rowWhen(run.id, ({ state }) => state === 'succeeded');
    await back.stop();
  });
});
