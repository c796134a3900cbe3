import type { RunEvent, RunRow } from '../adapters/postgres/rows.ts';
import type { LedgerRow } from '../adapters/postgres/run-store.ts';
import { isTerminal } from '../domain/errors.ts';
import { isEnded } from '../domain/run.ts';
import type { RunDetailView, RunEventView, RunView, StepView } from './schemas.ts';

const UNDO_SUFFIX = '.undo';

/** A run in a list: everything but what has to be looked up elsewhere. */
export function runView(run: RunRow): RunView {
  return {
    id: run.id,
    operation: run.operation,
    summary: run.summary,
    state: run.state,
    seq: run.seq,
    committed: run.committed,
    resource: run.resource,
    requestedBy: run.requestedBy,
    createdAt: run.createdAt.toISOString(),
    startedAt: run.startedAt?.toISOString(),
    endedAt: run.endedAt?.toISOString(),
    currentStep: run.currentStep,
    failure: run.failure,
  };
}

export function runDetail(
  run: RunRow,
  events: readonly RunEvent[],
  ledger: readonly LedgerRow[],
  uiLink?: string,
): RunDetailView {
  return {
    ...runView(run),
    input: run.input,
    steps: stepsFrom(run, events),
    result: run.result,
    skips: run.skips,
    ledger: ledger.map(({ kind, id, name, duty, step, state, reason }) => ({
      ...{ kind, id, name, duty },
      ...{ step, state, reason },
    })),
    links: { temporalUi: uiLink },
  };
}

export function eventView(event: RunEvent): RunEventView {
  return { ...event, at: event.at.toISOString() };
}

/** Folds the events of a run, in their order, into one line per step and direction. */
function stepsFrom(run: Pick<RunRow, 'state'>, events: readonly RunEvent[]): StepView[] {
  const steps = new Map<string, StepView>();
  for (const event of events) {
    if (event.step !== undefined)
      steps.set(event.step, after(steps.get(event.step) ?? begun(event.step, event), event));
  }
  return [...steps.values()].map((step) => settled(step, run));
}

function begun(step: string, { at }: RunEvent): StepView {
  const undo = step.endsWith(UNDO_SUFFIX);
  const name = undo ? step.slice(0, -UNDO_SUFFIX.length) : step;
  return { name, undo, state: 'running', attempts: 0, startedAt: at.toISOString() };
}

function after(step: StepView, event: RunEvent): StepView {
  switch (event.kind) {
    case 'step-started':
      return { ...step, state: 'running', attempts: step.attempts + 1, endedAt: undefined, worker: event.worker };
    case 'attempt-failed': {
      const final = event.failure !== undefined && isTerminal(event.failure.code);
      return {
        ...step,
        state: final ? 'failed' : 'retrying',
        endedAt: event.at.toISOString(),
        lastFailure: event.failure,
      };
    }
    case 'step-done':
      return { ...step, state: 'done', endedAt: event.at.toISOString() };
    case 'run-accepted':
    case 'run-state':
      return step;
  }
}

/** Nothing is tried again in a run that has ended, waits for an operator, or has turned back. */
function settled(step: StepView, run: Pick<RunRow, 'state'>): StepView {
  const over = isEnded(run.state) || run.state === 'needs-operator' || (run.state === 'undoing' && !step.undo);
  return over && step.state !== 'done' ? { ...step, state: 'failed' } : step;
}
