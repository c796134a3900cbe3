import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { Context, log } from '@temporalio/activity';
import type { Attempt } from '../adapters/postgres/attempt-events.ts';
import { isTerminal, OperationFailure } from '../domain/errors.ts';
import type { LedgerEntry } from '../domain/run.ts';
import { describeVm } from '../domain/vm.ts';
import type { VmIdentity } from '../domain/vm.ts';
import { startHeartbeat } from './heartbeat.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { Deps, None, Step, StepCall, StepContext } from './step.ts';

type Work<Input, Output> = (ctx: StepContext, input: Input) => Promise<Output>;

/** Every `do` begins with `find`: a second delivery returns the first one's effect. */
export function deliverDo<Input, Output>(deps: Deps, step: Step<Input, Output>) {
  return (call: StepCall<Input>): Promise<Output> =>
    deliver(
      deps,
      step.name,
      step.name,
      call,
      async (ctx, input) => (await step.find(ctx, input)) ?? step.do(ctx, input),
    );
}

/** Answers in words what was done, as every undo does; nothing is written down, since nothing is owed. */
export function nothingToUndo({ none }: None) {
  return (): Promise<string> => Promise.resolve(`nothing to undo: ${none}`);
}

/** What a step owed is settled only when its undo has come through. */
export function deliverUndo<Input>(deps: Deps, stepName: string, undo: Work<Input, void>) {
  return (call: StepCall<Input>): Promise<string> =>
    deliver(deps, stepName, `${stepName}.undo`, call, async (ctx, input) => {
      await undo(ctx, input);
      await deps.ledger.settleStep(call.runId, stepName);
      return 'undone';
    });
}

/** One delivery: write that it started, work, write how it ended. A delivery that cannot be written down does nothing. */
async function deliver<Input, Output>(
  deps: Deps,
  stepName: string,
  activity: string,
  call: StepCall<Input>,
  work: Work<Input, Output>,
): Promise<Output> {
  const attempt = attemptOf(deps, activity, call);
  const heartbeat = startHeartbeat();
  try {
    await deps.log.started(attempt);
    const output = await work(contextOf(deps, stepName, call, heartbeat), call.input);
    await deps.log.done(attempt);
    return output;
  } catch (error) {
    throw await failedAttempt(deps, attempt, call.input, error);
  } finally {
    heartbeat.stop();
  }
}

function attemptOf(deps: Deps, activity: string, call: StepCall<unknown>): Attempt {
  const { info } = Context.current();
  return {
    runId: call.runId,
    executionId: info.workflowExecution?.runId ?? '',
    step: activity,
    round: call.round,
    attempt: info.attempt,
    committed: call.committed,
    worker: deps.worker,
  };
}

function contextOf(deps: Deps, stepName: string, call: StepCall<unknown>, heartbeat: Heartbeat): StepContext {
  const context = Context.current();
  const { info } = context;
  return {
    ...deps,
    runId: call.runId,
    step: stepName,
    memory: heartbeat.memory,
    redelivered: info.attempt > 1 || call.round > 0,
    signal: context.cancellationSignal,
    scheduledAtMs: info.scheduledTimestampMs,
    owe: (entries: readonly LedgerEntry[]) => deps.ledger.owe(call.runId, stepName, entries),
  };
}

/** The failure that Temporal sees: a code of the catalogue, what a person needs, no secrets, no foreign classes. */
async function failedAttempt(deps: Deps, attempt: Attempt, input: unknown, error: unknown): Promise<Error> {
  const context = Context.current();
  if (error instanceof CancelledFailure && context.cancellationDetails?.cancelRequested === true) return error;
  const failure = aboutVm(toOperationFailure(error, attempt.step), input);
  log.warn('attempt failed', {
    ...attempt,
    code: failure.code,
    detail: failure.message,
    native: failure.details.native,
  });
  await deps.log.failed(attempt, failure.toFailure()).catch((unwritten: unknown) => {
    log.error('the failed attempt could not be written down', { ...attempt, error: String(unwritten) });
  });
  const told = ApplicationFailure.create({
    type: failure.code,
    message: failure.message,
    nonRetryable: isTerminal(failure.code),
    details: [failure.toFailure()],
  });
  // Paths of this machine are nobody's business in a history; the log has the stack.
  told.stack = '';
  return told;
}

/** Adapters know references only; the step knows the VM by the name and uuid that people use. */
function aboutVm(failure: OperationFailure, input: unknown): OperationFailure {
  if (typeof input !== 'object' || input === null || !('vm' in input)) return failure;
  const vm = describeVm(input.vm as VmIdentity);
  if (failure.message.includes(vm)) return failure;
  return new OperationFailure(
    failure.code,
    `${vm}: ${failure.message}`,
    { ...failure.details, object: vm },
    { cause: failure },
  );
}

function toOperationFailure(error: unknown, step: string): OperationFailure {
  if (error instanceof OperationFailure) return error;
  if (error instanceof CancelledFailure)
    return new OperationFailure('POOL_BUSY', `The worker shut down during ${step}.`);
  // The words of an unknown error may hold anything, secrets too: they stay in the worker's log.
  log.error('unexpected error in a step', { step, error });
  return new OperationFailure(
    'BUG',
    `Unexpected error in step ${step}; the worker's log has it.`,
    {},
    { cause: error },
  );
}
