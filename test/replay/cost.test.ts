import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OperationName } from '../../domain/operations.ts';
import { startSite } from '../support/site.ts';
import type { Site } from '../support/site.ts';
import { countsByType } from './histories.ts';
import { wholeHistory } from './whole-history.ts';

/**
 * What an undisturbed run costs Temporal. A change here is a decision: every event is written, kept for the retention
 * and replayed. Activities are the steps and the note of the run's end.
 */
const COSTS: Record<OperationName, { readonly activities: number; readonly events: number }> = {
  'deploy-vm': { activities: 13, events: 84 },
  'delete-vm': { activities: 7, events: 48 },
};

let site: Site;
beforeAll(async () => {
  site = await startSite();
});
afterAll(() => site.stop());

async function costOf(operation: OperationName, input: Record<string, unknown>) {
  const run = await site.ended((await site.request(operation, input)).id);
  expect(run.state).toBe('succeeded');
  const counts = countsByType(await wholeHistory(site, run));
  // A workflow task that a slow machine let time out is asked again: only those that came through count.
  const tasks = counts.get('WORKFLOW_TASK_COMPLETED') ?? 0;
  const others = [...counts].filter(([type]) => !type.startsWith('WORKFLOW_TASK_')).map(([, count]) => count);
  const activities = counts.get('ACTIVITY_TASK_SCHEDULED');
  return { activities, events: others.reduce((sum, count) => sum + count, 3 * tasks) };
}

describe('an undisturbed run', () => {
  it('costs Temporal exactly the events that the table says', async () => {
    const name = 'frugal';
    const costs = {
      'deploy-vm': await costOf('deploy-vm', { pool: 'ams1', name, template: 'debian-12', networks: ['tenant'] }),
      'delete-vm': await costOf('delete-vm', { pool: 'ams1', name }),
    };
    expect(costs).toEqual(COSTS);
  });
});
