import * as wf from '@temporalio/workflow';
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
      const state = saga.skips.length > 0 ? 'succeeded-with-skips' : 'succeeded';
      await end(runId, controls, { state, result, skips: saga.skips });
      return result;
    } catch (error) {
      return await takeBack(runId, controls, saga, error);
    }
  };
}

async function takeBack(runId: string, controls: Controls, saga: Saga, error: unknown): Promise<never> {
  const cancelled = wf.isCancellation(error);
  const failure = cancelled ? undefined : failureOf(error);
  const ended =
    failure === undefined
      ? new wf.CancelledFailure('Cancelled and undone')
      : wf.ApplicationFailure.nonRetryable(failure.message, failure.code, failure);
  ended.stack = '';
  // Another execution works for this run: whatever there is to undo is its own.
  if (failure?.code === 'STRAY_EXECUTION') throw ended;
  if (failure !== undefined) controls.table.failLast(failure.message);
  await saga.unwind();
  await end(runId, controls, { state: cancelled ? 'cancelled' : 'failed', failure, skips: saga.skips });
  throw ended;
}

async function end(runId: string, controls: Controls, outcome: RunOutcome): Promise<void> {
  await wf.CancellationScope.nonCancellable(async () => {
    await bookkeeping.endRun(runId, outcome);
    controls.showState(outcome.state);
    await wf.condition(wf.allHandlersFinished);
  });
}
