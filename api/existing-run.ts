import type { RunRow } from '../adapters/postgres/rows.ts';
import type { ApiDeps } from './context.ts';
import { Problem } from './problem.ts';

/** Throws NOT_FOUND. */
export async function existingRun(deps: Pick<ApiDeps, 'store'>, id: string): Promise<RunRow> {
  const run = await deps.store.get(id);
  if (run === undefined) throw new Problem('NOT_FOUND', 'There is no such run.');
  return run;
}
