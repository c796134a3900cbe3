import type { Failure } from '../domain/errors.ts';
import type { RunOutcome, RunState } from '../domain/run.ts';
import type { Deps } from './step.ts';

/** Not steps: they touch nothing but the read model, and are repeated until it takes them. */
export function createBookkeeping(deps: Pick<Deps, 'log' | 'ledger'>) {
  return {
    noteState: (runId: string, state: RunState, failure?: Failure): Promise<void> =>
      deps.log.setState(runId, state, failure),
    /** An operator took over what the step still owes. */
    abandonStep: (runId: string, step: string, reason: string): Promise<void> =>
      deps.ledger.abandonStep(runId, step, reason),
    endRun: (runId: string, outcome: RunOutcome): Promise<void> => deps.log.end(runId, outcome),
  };
}

export type Bookkeeping = ReturnType<typeof createBookkeeping>;
