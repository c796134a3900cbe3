import type { Run, RunState } from './api-client.ts';
import { EXIT } from './io.ts';

/** The exit code that a state means for whoever waits for the run; undefined while it is worth waiting on. */
const EXIT_BY_STATE: Readonly<Record<RunState, number | undefined>> = {
  accepted: undefined,
  waiting: undefined,
  running: undefined,
  undoing: undefined,
  paused: EXIT.waiting,
  'needs-operator': EXIT.waiting,
  succeeded: EXIT.done,
  'succeeded-with-skips': EXIT.doneWithSkips,
  failed: EXIT.failed,
  cancelled: EXIT.cancelled,
};

/** Every state that a run can be in, in the order of its life. */
export const RUN_STATES: readonly string[] = Object.keys(EXIT_BY_STATE);

/** Of several runs the worst is told: somebody has to look at it first. */
const WORST_FIRST: readonly number[] = [EXIT.failed, EXIT.conflict, EXIT.waiting, EXIT.cancelled, EXIT.doneWithSkips];

/** Undefined while it is worth watching on. */
export function exitCodeOf({ state, failure }: Pick<Run, 'state' | 'failure'>): number | undefined {
  const lockedOut = failure?.code === 'RUN_CONFLICT' || failure?.code === 'RESOURCE_LOCKED';
  return state === 'failed' && lockedOut ? EXIT.conflict : EXIT_BY_STATE[state];
}

export function worstOf(codes: readonly number[]): number {
  return WORST_FIRST.find((code) => codes.includes(code)) ?? EXIT.done;
}
