import { describe, expect, it } from '@jest/globals';
import { acceptRun } from './support/accept-run.ts';
import { send } from './support/requests.ts';
import { openApi } from './support/rig.ts';
import { writeSteps } from './support/write-events.ts';

const { rig, api } = await openApi();

describe('what a client asks of the runs', () => {
  const idsOf = async (query: string) => (await send(`${api}/v1/runs?${query}`)).body.runs.map(({ id }) => id);

  it('is answered by filter, order and page', async () => {
    const ids: string[] = [];
    for (const name of ['ask-1', 'ask-2', 'other-%_1']) ids.push((await acceptRun(rig, 'deploy-vm', name)).id);
    const middle = (await acceptRun(rig, 'delete-vm', 'ask-1')).createdAt.toISOString();
    expect(await idsOf('resource=pool/ams1/vm/ask-&order=oldest&operation=deploy-vm')).toEqual(ids.slice(0, 2));
    expect(await idsOf('resource=pool/ams1/vm/other-%25_')).toEqual([ids[2]]);
    expect(await idsOf('resource=%25')).toEqual([]);
    expect(await idsOf('requestedBy=nobody')).toEqual([]);
    expect(await idsOf('requestedBy=operator')).toHaveLength(4);
    expect(await idsOf(`until=${middle}&order=oldest`)).toEqual(ids);
    expect(await idsOf(`since=${middle}`)).toHaveLength(1);

    const paged: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const page = await send(`${api}/v1/runs?limit=1&order=oldest${cursor === '' ? '' : `&cursor=${cursor}`}`);
      paged.push(...page.body.runs.map(({ id }) => id));
      cursor = page.body.nextCursor;
    }
    expect(paged.slice(0, 3)).toEqual(ids);
  });

  it.each(['order=sideways', 'since=yesterday', 'until=2026-01-01', 'requestedBy=', 'resource=%00'])(
    'is refused when it is %s, with the name of the parameter',
    async (query) => {
      const answer = await send(`${api}/v1/runs?${query}`);
      expect(answer).toMatchObject({ status: 400, body: { code: 'INVALID_INPUT' } });
      expect(answer.body.errors?.[0]?.parameter).toBe(query.split('=')[0]);
    },
  );

  it('is answered as soon as there is news', async () => {
    const run = await acceptRun(rig, 'deploy-vm', 'wait-news');
    const path = `${api}/v1/runs/${run.id}`;
    expect((await send(`${path}?wait=60&after=0`)).body.run.seq).toBe(1);
    const waiting = Promise.all([send(`${path}?wait=60&after=1`), send(`${path}?wait=60&after=1`)]);
    await writeSteps(rig, run.id, 1);
    for (const { status, body } of await waiting) {
      expect(status).toBe(200);
      expect(body.run.seq).toBeGreaterThan(1);
    }
  });

  it('is answered at the end of the run, or when it needs an operator, if it does not say what it knows', async () => {
    const run = await acceptRun(rig, 'deploy-vm', 'wait-end');
    const path = `${api}/v1/runs/${run.id}`;
    const needing = send(`${path}?wait=60`);
    await writeSteps(rig, run.id, 2);
    await rig.log.setState(run.id, 'needs-operator');
    expect((await needing).body.run.state).toBe('needs-operator');
    const ending = send(`${path}?wait=60&after=6`);
    await rig.log.end(run.id, { state: 'cancelled', skips: [] });
    expect((await ending).body.run.state).toBe('cancelled');
    expect((await send(`${path}?wait=60&after=999`)).body.run.state).toBe('cancelled');
  });

  it('is answered with the run as it is when the time is over', async () => {
    const run = await acceptRun(rig, 'deploy-vm', 'wait-over');
    expect((await send(`${api}/v1/runs/${run.id}?wait=1`)).body.run).toMatchObject({ state: 'accepted', seq: 1 });
  });

  it('does not wait for a run that nobody has, nor longer than a minute', async () => {
    const path = `${api}/v1/runs/0198c0de-0000-7000-8000-000000000000`;
    expect((await send(`${path}?wait=60`)).status).toBe(404);
    expect(await send(`${path}?wait=61`)).toMatchObject({ status: 400, body: { errors: [{ parameter: 'wait' }] } });
  });
});
