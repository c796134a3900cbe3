import * as wf from '@temporalio/workflow';
import { isTerminal, type Failure } from '../../domain/errors.ts';
import type { RunOutcome, RunRequest } from '../../domain/run.ts';
import { Controls } from './controls.ts';
import { failureOf } from './failures.ts';
import { Saga } from './saga.ts';
import { bookkeeping } from './steps.ts';

/** Makes a Temporal workflow of a runbook: carried out, or taken back and said so, never left in between. */
export function runbook<Input, Result>(body: (saga: Saga, input: Input) => Promise<Result>) {
  return async (request: RunRequest<Input>): Promise<Result> => {
    const scope = new wf.CancellationScope();
    const controls = new Controls(scope);
    const { runId, timing } = request;
    const saga = new Saga({ runId, timing, committed: false, round: 0 }, controls);
    try {
      const result = await scope.run(() => body(saga, request.input));
      const { skips } = saga;
      await end(runId, controls, { state: skips.length > 0 ? 'succeeded-with-skips' : 'succeeded', result, skips });
      return result;
    } catch (error) {
      return await takeBack(runId, controls, saga, reasonOf(error, scope));
    }
  };
}

/** Undefined when the run was cancelled: Temporal does not repeat a step then, so what a repetition would heal is no reason. */
function reasonOf(error: unknown, scope: wf.CancellationScope): Failure | undefined {
  const failure = wf.isCancellation(error) ? undefined : failureOf(error);
  return failure !== undefined && scope.consideredCancelled && !isTerminal(failure.code) ? undefined : failure;
}

async function takeBack(runId: string, controls: Controls, saga: Saga, failure: Failure | undefined): Promise<never> {
  const ended =
    failure === undefined
      ? new wf.CancelledFailure('Cancelled and undone')
      : wf.ApplicationFailure.nonRetryable(failure.message, failure.code, failure);
  ended.stack = '';
  // Another execution works for this run: whatever there is to undo is its own.
  if (failure?.code === 'STRAY_EXECUTION') throw ended;
  if (failure !== undefined) controls.table.failLast(failure.message);
  await saga.unwind();
  await end(runId, controls, { state: failure === undefined ? 'cancelled' : 'failed', failure, skips: saga.skips });
  throw ended;
}

async function end(runId: string, controls: Controls, outcome: RunOutcome): Promise<void> {
  await wf.CancellationScope.nonCancellable(async () => {
    await bookkeeping.endRun(runId, outcome);
    controls.showState(outcome.state);
    await wf.condition(wf.allHandlersFinished);
  });
}
