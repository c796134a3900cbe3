import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startAccepted } from '../../../adapters/temporal/start-accepted.ts';
import { DEFAULT_TIMING } from '../../../domain/run.ts';
import { acceptRun } from '../../api/support/accept-run.ts';
import type { Rig } from '../../api/support/rig.ts';
import { openRig, startStandInWorker } from '../../api/support/rig.ts';

describe('starting an accepted run on an object that had another one', () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await openRig();
    await startStandInWorker(rig);
  });

  afterAll(() => rig.close());

  it('waits for the workflow of a run that has ended to close, since the row ends a moment earlier', async () => {
    const first = await acceptRun(rig, 'delete-vm', 'slow-closing');
    await rig.engine.start(first, DEFAULT_TIMING);
    await rig.store.close(first.id, { state: 'succeeded', skips: [] });
    const second = await acceptRun(rig, 'delete-vm', 'slow-closing');
    const started = startAccepted(rig.store, rig.engine, second, DEFAULT_TIMING);
    await expect(rig.engine.start(second, DEFAULT_TIMING)).rejects.toMatchObject({ code: 'RUN_CONFLICT' });
    await rig.client.workflow.getHandle(first.workflowId).terminate();
    expect(await started).toBe('started');
  });

  it('closes the row with the owner when that run is still at work', async () => {
    const owner = await acceptRun(rig, 'delete-vm', 'slow-at-work');
    await rig.engine.start(owner, DEFAULT_TIMING);
    const second = await acceptRun(rig, 'delete-vm', 'slow-at-work');
    const started = startAccepted(rig.store, rig.engine, second, DEFAULT_TIMING);
    await expect(started).rejects.toMatchObject({ code: 'RUN_CONFLICT', details: { ownerRunId: owner.id } });
    expect(await rig.store.get(second.id)).toMatchObject({ state: 'failed', failure: { ownerRunId: owner.id } });
  });
});
