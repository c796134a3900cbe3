import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSite } from '../support/site.ts';
import type { Site } from '../support/site.ts';

let site: Site;
beforeAll(async () => {
  site = await startSite({ workflowsPath: fileURLToPath(new URL('support/faulty-runbooks.ts', import.meta.url)) });
});
afterAll(() => site.stop());

async function deploy(name: string) {
  const { id } = await site.request('deploy-vm', { pool: 'ams1', name, template: 'debian-12', networks: ['tenant'] });
  return site.ended(id);
}

describe('a runbook with a mistake in it', () => {
  it('that throws takes back what it did and says so', async () => {
    const before = site.lab.snapshot();
    expect(await deploy('throws')).toMatchObject({
      state: 'failed',
      failure: { code: 'BUG', message: 'nobody thought of throws' },
    });
    expect(site.lab.diff(before)).toEqual([]);
  });

  it('that does a step which could be undone behind its point of no return fails before that step', async () => {
    const run = await deploy('late');
    expect(run).toMatchObject({
      state: 'failed',
      failure: { code: 'BUG', message: 'provisionVm after commit(): use finish()' },
    });
    expect(await site.store.ledger(run.id)).toMatchObject([
      { kind: 'VM', name: 'late', state: 'owed' },
      { kind: 'VDI' },
    ]);
  });
});
