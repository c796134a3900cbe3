import { describe, expect, it } from '@jest/globals';
import { deployInput, postRun, runWhen, send } from './support/requests.ts';
import { openApi, startStandInWorker } from './support/rig.ts';

const { rig, api } = await openApi();
await startStandInWorker(rig);

describe('what an operator asks of a run', () => {
  const ask = (id: string, verb: string, body?: unknown) =>
    send(`${api}/v1/runs/${id}/${verb}`, { method: 'POST', body });
  const start = async (name: string, state: string) => {
    const { body } = await postRun(api, 'deploy-vm', deployInput(name));
    return (await runWhen(api, body.run.id, (run) => run.state === state)).id;
  };

  it('cancels a run and says what it will do', async () => {
    const id = await start('slow-cancel', 'running');
    expect(await ask(id, 'cancel')).toMatchObject({ status: 200, body: { will: 'stops for operator', run: { id } } });
    await runWhen(api, id, ({ state }) => state === 'cancelled');
  });

  it('retries a run that needs an operator', async () => {
    const id = await start('held-retry', 'needs-operator');
    expect(await ask(id, 'retry')).toMatchObject({ status: 200, body: { will: 'does cloneVm again' } });
    await runWhen(api, id, ({ state }) => state === 'succeeded');
  });

  it('skips with the reason, which stays with the run', async () => {
    const id = await start('held-skip', 'needs-operator');
    expect(await ask(id, 'skip', { reason: 'removed by hand' })).toMatchObject({ status: 200 });
    const run = await runWhen(api, id, ({ state }) => state === 'succeeded-with-skips');
    expect(run.skips).toEqual([{ step: 'cloneVm', reason: 'removed by hand' }]);
  });

  it('refuses what the run cannot do now with the reason of its workflow', async () => {
    const id = await start('slow-refuse', 'running');
    const answer = await ask(id, 'retry', {});
    expect(answer).toMatchObject({ status: 409, body: { code: 'ACTION_REFUSED', runId: id } });
    expect(answer.body.detail).toBe('The run does not wait for operator.');
    expect(await ask(await start('held-refuse', 'needs-operator'), 'cancel')).toMatchObject({ status: 409 });
  });

  it('refuses to act on a run that has ended and tells its state', async () => {
    const id = await start('quick-ended', 'succeeded');
    for (const verb of ['cancel', 'retry']) {
      const answer = await ask(id, verb);
      expect(answer).toMatchObject({ status: 409, body: { code: 'ACTION_REFUSED', runId: id } });
      expect(answer.body.detail).toContain('has ended: succeeded');
    }
  });

  it('never lets an ended run act on the run that has its workflow id today', async () => {
    const input = { pool: 'ams1', name: 'slow-twice' };
    const first = (await postRun(api, 'delete-vm', input)).body.run.id;
    await runWhen(api, first, ({ state }) => state === 'running');
    await rig.client.workflow.getHandle('delete-vm/pool/ams1/vm/slow-twice').terminate();
    const second = (await postRun(api, 'delete-vm', input)).body.run.id;
    await runWhen(api, second, ({ state }) => state === 'running');

    const answer = await ask(first, 'cancel');
    expect(answer).toMatchObject({ status: 409, body: { code: 'ACTION_REFUSED' } });
    expect(await ask(second, 'cancel')).toMatchObject({ status: 200 });
  });

  it.each([
    ['skip', undefined],
    ['skip', {}],
    ['skip', { reason: '  ' }],
    ['skip', { reason: 'a\nb' }],
    ['cancel', { force: true }],
    ['retry', []],
  ])('refuses %s with the body %j', async (verb, body) => {
    const id = await start('held-body', 'needs-operator');
    expect(await ask(id, verb, body)).toMatchObject({ status: 400, body: { code: 'INVALID_INPUT' } });
  });
});
