import type { RunRow } from '../../../adapters/postgres/rows.ts';
import { acceptRun } from './accept-run.ts';
import type { Rig } from './rig.ts';

/** The events of a run as a worker writes them: `steps` steps of two events each, then its end. */
export async function writeRun(rig: Rig, name: string, steps: number): Promise<RunRow> {
  const run = await acceptRun(rig, 'deploy-vm', name);
  await writeSteps(rig, run.id, steps);
  await rig.log.end(run.id, { state: 'succeeded', skips: [] });
  return run;
}

export async function writeSteps(rig: Rig, runId: string, steps: number, worker = 'writer'): Promise<void> {
  for (let step = 1; step <= steps; step += 1) {
    const attempt = { runId, executionId: 'x', round: 1, attempt: 1, committed: false, worker };
    await rig.log.started({ ...attempt, step: `step${step}` });
    await rig.log.done({ ...attempt, step: `step${step}` });
  }
}

/** Every event as the table has it, in the order of the positions. */
export async function tableOf(rig: Rig): Promise<{ position: number; runId: string; seq: number }[]> {
  await rig.feed.head();
  const rows = await rig.db
    .selectFrom('run_events')
    .select(['position', 'run_id', 'seq'])
    .orderBy('position')
    .execute();
  return rows.map((row) => ({ position: Number(row.position), runId: row.run_id, seq: row.seq }));
}
