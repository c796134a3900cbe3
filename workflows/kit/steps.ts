import { ActivityCancellationType, proxyActivities, scheduleActivity } from '@temporalio/workflow';
import type { Bookkeeping } from '../../activities/bookkeeping.ts';
import type { Steps } from '../../activities/index.ts';
import type { Done, StepCall } from '../../activities/step.ts';
import type { Timing } from '../../domain/run.ts';

export type StepName = keyof Steps;
export type InputOf<N extends StepName> = Parameters<Steps[N]['do']>[1];
export type OutputOf<N extends StepName> = Awaited<ReturnType<Steps[N]['do']>>;
/** Steps that nothing later builds on: only these may follow commit(), since an operator may leave one out. */
export type LastStepName = { [N in StepName]: OutputOf<N> extends Done ? N : never }[StepName];

export interface RunContext {
  readonly runId: string;
  readonly timing: Timing;
  readonly committed: boolean;
  readonly round: number;
}

/** How long a step may take in all, attempts included. */
export type Patience = (timing: Timing) => number;

export const quick: Patience = (timing) => timing.stepBudgetMs;
/** For long tasks of the pool: clone, provision, import, shutdown. */
export const slow: Patience = (timing) => timing.slowStepBudgetMs;

/** For a step that has a deadline of its own: the step's budget comes on top, so that the step speaks first. */
export const waiting =
  (seconds: number): Patience =>
  (timing) =>
    seconds * 1_000 + timing.stepBudgetMs;

export function callStep<N extends StepName>(run: RunContext, name: N, input: InputOf<N>, patience: Patience) {
  return schedule<OutputOf<N>>(run, name, input, patience);
}

export function callUndo(run: RunContext, name: StepName, input: unknown): Promise<string> {
  return schedule<string>(run, `${name}.undo`, input, (timing) => timing.undoBudgetMs);
}

/** One activity for one step. A worker that dies is noticed by its silence; a step that hangs, by its budget. */
function schedule<Output>(run: RunContext, type: string, input: unknown, patience: Patience): Promise<Output> {
  const budgetMs = patience(run.timing);
  const call: StepCall<unknown> = { runId: run.runId, input, committed: run.committed, round: run.round };
  return scheduleActivity<Output>(type, [call], {
    startToCloseTimeout: budgetMs,
    scheduleToCloseTimeout: budgetMs,
    heartbeatTimeout: run.timing.heartbeatTimeoutMs,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: run.timing.firstRetryMs, backoffCoefficient: 2, maximumInterval: '10 seconds' },
  });
}

/** The read model must learn how a run ended, however long the database is away: no budget here. */
export const bookkeeping = proxyActivities<Bookkeeping>({
  startToCloseTimeout: '30 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '10 seconds' },
});
