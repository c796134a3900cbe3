import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { deployInput, postRun, runWhen, send } from './support/requests.ts';
import { openApi, startStandInWorker } from './support/rig.ts';

const { rig, api } = await openApi();
await startStandInWorker(rig);

describe('runs over HTTP', () => {
  it('accepts a run, says where it is, and carries it out', async () => {
    const accepted = await postRun(api, 'deploy-vm', deployInput('quick-01'));
    expect(accepted.status).toBe(202);
    const { id } = accepted.body.run;
    expect(accepted.headers.get('location')).toBe(`/v1/runs/${id}`);
    expect(accepted.body.run).toMatchObject({ operation: 'deploy-vm', state: 'accepted', requestedBy: 'operator' });

    const run = await runWhen(api, id, ({ state }) => state === 'succeeded');
    expect(run).toMatchObject({ result: { uuid: 'vm-1' }, input: { ...deployInput('quick-01'), vcpus: 1 } });
    expect(run.links).toEqual({
      temporalUi: `http://temporal.example:8233/namespaces/${rig.namespace}/workflows/deploy-vm%2F${id}`,
    });
  });

  it('shows steps with attempts and the native code of the last failure, and what is owed', async () => {
    const { body } = await postRun(api, 'deploy-vm', deployInput('slow-01'));
    const run = await runWhen(api, body.run.id, ({ currentStep }) => currentStep === 'cloneVm');
    const shown = await runWhen(api, run.id, ({ steps }) => JSON.stringify(steps).includes('"attempts":2'));
    expect(shown.steps).toMatchObject([
      { name: 'acquireLock', undo: false, state: 'done', attempts: 1 },
      { name: 'cloneVm', state: 'running', attempts: 2, lastFailure: { native: { code: 'SR_BACKEND_FAILURE_44' } } },
    ]);
    expect(shown.ledger).toMatchObject([{ kind: 'VM', id: 'vm-1', duty: 'remove', state: 'owed', step: 'cloneVm' }]);
  });

  it('answers the same key with the same run, whatever the order of the fields', async () => {
    const key = randomUUID();
    const first = await postRun(api, 'deploy-vm', deployInput('quick-same'), key);
    const reordered = Object.fromEntries(Object.entries(deployInput('quick-same')).toReversed());
    const second = await postRun(api, 'deploy-vm', reordered, key);
    expect(second.status).toBe(202);
    expect(second.body.run.id).toBe(first.body.run.id);
  });

  it('refuses a key that belongs to another request and names its run', async () => {
    const key = randomUUID();
    const first = await postRun(api, 'deploy-vm', deployInput('quick-key'), key);
    const other = await postRun(api, 'deploy-vm', deployInput('quick-other'), key);
    expect(other.status).toBe(422);
    expect(other.body).toMatchObject({ code: 'KEY_REUSED', runId: first.body.run.id });
  });

  it('makes one run of a hundred parallel requests with one key', async () => {
    const key = randomUUID();
    const posts = Array.from({ length: 100 }, () => postRun(api, 'deploy-vm', deployInput('quick-crowd'), key));
    const answers = await Promise.all(posts);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    const ids = new Set(answers.map(({ body }) => body.run.id));
    expect(ids.size).toBe(1);
    const run = await runWhen(api, [...ids][0] ?? '', ({ state }) => state === 'succeeded');
    expect(run.steps).toMatchObject([{ attempts: 1 }, { attempts: 2 }]);
  });

  it('refuses a second run on the same VM with the id of the first, again when the request is repeated', async () => {
    const input = { pool: 'ams1', name: 'one-at-a-time' };
    const first = await postRun(api, 'delete-vm', input);
    expect(first.status).toBe(202);
    const key = randomUUID();
    for (const second of [await postRun(api, 'delete-vm', input, key), await postRun(api, 'delete-vm', input, key)]) {
      expect(second.status).toBe(409);
      expect(second.body).toMatchObject({ code: 'RUN_CONFLICT', ownerRunId: first.body.run.id });
      expect(second.body.runId).not.toBe(first.body.run.id);
    }
  });

  it('works on the same VM again once the run before has ended', async () => {
    const input = { pool: 'ams1', name: 'quick-again' };
    const first = await postRun(api, 'delete-vm', input);
    await runWhen(api, first.body.run.id, ({ state }) => state === 'succeeded');
    await rig.client.workflow.getHandle('delete-vm/pool/ams1/vm/quick-again').result();
    const second = await postRun(api, 'delete-vm', input);
    expect(second.status).toBe(202);
    await runWhen(api, second.body.run.id, ({ state }) => state === 'succeeded');
  });

  it('keeps secret fields out of the run and of Temporal', async () => {
    const userData = '#cloud-config\npassword: canary-of-the-user-data\n';
    const { body } = await postRun(api, 'deploy-vm', { ...deployInput('quick-secret'), userData });
    const { id } = body.run;
    expect(await rig.vault.find(rig.db, id, 'userData')).toBe(userData);
    const run = await runWhen(api, id, ({ state }) => state === 'succeeded');
    expect(run.input).toMatchObject({ secretsId: id });
    const history = await rig.client.workflow.getHandle(`deploy-vm/${id}`).fetchHistory();
    for (const place of [run, history, rig.logged]) expect(JSON.stringify(place)).not.toContain('canary');
  });

  it('lists newest first, page by page, and filters', async () => {
    const own = await postRun(api, 'delete-vm', { pool: 'ams1', name: 'listed' });
    const all = (await send(`${api}/v1/runs?limit=200`)).body.runs.map(({ id }) => id);
    expect(all[0]).toBe(own.body.run.id);
    expect(all).toEqual(all.toSorted().toReversed());

    const paged: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const page = await send(`${api}/v1/runs?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`);
      paged.push(...page.body.runs.map(({ id }) => id));
      cursor = page.body.nextCursor;
    }
    expect(paged).toEqual(all);

    const open = await send(`${api}/v1/runs?operation=delete-vm&state=accepted,running`);
    expect(open.body.runs.length).toBeGreaterThan(0);
    for (const run of open.body.runs) expect(run).toMatchObject({ operation: 'delete-vm' });
  });
});
