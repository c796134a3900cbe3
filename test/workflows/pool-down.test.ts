import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSite } from '../support/site.ts';
import type { Site } from '../support/site.ts';

/** Nothing listens there. */
const CLOSED_PORT = 1;

let site: Site;
beforeAll(async () => {
  site = await startSite({ pools: (pools) => pools.map((pool) => ({ ...pool, port: CLOSED_PORT })) });
});
afterAll(() => site.stop());

describe('a pool that is down', () => {
  it('fails the run when the budget of the step is spent, names the addresses, and touches nothing', async () => {
    const before = site.lab.snapshot();
    const input = { pool: 'ams1', name: 'web-01', template: 'debian-12', networks: ['tenant'] };
    const { id } = await site.request('deploy-vm', input, { stepBudgetMs: 2_000 });
    const run = await site.ended(id);
    expect(run).toMatchObject({ state: 'failed', failure: { code: 'POOL_UNREACHABLE' } });
    expect(run.failure?.message).toContain('ECONNREFUSED');
    expect(run.failure?.message).toContain(site.lab.pools[0]?.coordinatorAddress);
    expect(site.lab.diff(before)).toEqual([]);
    const attempts = (await site.store.events(id, 0)).filter((event) => event.kind === 'attempt-failed');
    expect(attempts.length).toBeGreaterThan(1);
  });
});
