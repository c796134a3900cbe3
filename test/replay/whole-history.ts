import type { RunRow } from '../../adapters/postgres/rows.ts';
import { eventually } from '../support/eventually.ts';
import type { Site } from '../support/site.ts';
import type { History } from './histories.ts';

/** Our tables have the end of a run before Temporal has its workflow's: only then the history has its last events. */
export async function wholeHistory(site: Site, { workflowId }: RunRow): Promise<History> {
  const handle = site.temporal.workflow.getHandle(workflowId);
  await eventually(
    () => handle.describe(),
    ({ status }) => status.name !== 'RUNNING',
    `workflow ${workflowId} closes`,
  );
  return handle.fetchHistory();
}
