import type { Failure } from './errors.ts';

/**
 * One table of states for database, API, CLI, page and Temporal UI.
 * `accepted → waiting → running ⇄ paused → succeeded | succeeded-with-skips | failed (undone) | cancelled (undone) | needs-operator`
 */
export const RUN_STATES = [
  'accepted',
  'waiting',
  'running',
  'paused',
  'undoing',
  'needs-operator',
  'succeeded',
  'succeeded-with-skips',
  'failed',
  'cancelled',
] as const;

export type RunState = (typeof RUN_STATES)[number];

export const ENDED_STATES = ['succeeded', 'succeeded-with-skips', 'failed', 'cancelled'] as const;
export type EndedState = (typeof ENDED_STATES)[number];

export function isEnded(state: RunState): state is EndedState {
  return (ENDED_STATES as readonly RunState[]).includes(state);
}

/** Durations that a run works with; given at its start so that tests are short by input, not by another clock. */
export interface Timing {
  /** How long one step may take in all, attempts included, before the run gives up on it. */
  readonly stepBudgetMs: number;
  /** The same for a step that waits for a long task of the pool. */
  readonly slowStepBudgetMs: number;
  /** How long an undo is repeated before the run needs an operator. */
  readonly undoBudgetMs: number;
  /** A worker that is silent for so long is dead; its step is given to another. */
  readonly heartbeatTimeoutMs: number;
  readonly firstRetryMs: number;
}

export const DEFAULT_TIMING: Timing = {
  stepBudgetMs: 5 * 60_000,
  slowStepBudgetMs: 30 * 60_000,
  undoBudgetMs: 10 * 60_000,
  heartbeatTimeoutMs: 10_000,
  firstRetryMs: 1_000,
};

/** The argument of every operation's workflow. `input` holds no secret, only their ids. */
export interface RunRequest<Input> {
  readonly runId: string;
  readonly requestedBy: string;
  readonly input: Input;
  readonly timing: Timing;
}

/** Something a run created or switched off and still owes to remove or restore. */
export interface LedgerEntry {
  /** Class in XAPI's or our own terms: `VM`, `VDI`, `lock`. */
  readonly kind: string;
  /** Uuid, or before the object is known, the tag it will be found by. */
  readonly id: string;
  readonly name: string;
  readonly duty: 'remove' | 'restore';
}

/** What a person may answer when a run needs an operator. */
export type OperatorAnswer = { readonly verb: 'retry' } | { readonly verb: 'skip'; readonly reason: string };

export interface RunOutcome {
  readonly state: EndedState;
  readonly result?: unknown;
  readonly failure?: Failure;
  /** Steps or undos left out by an operator, with the reason. */
  readonly skips: readonly { readonly step: string; readonly reason: string }[];
}
