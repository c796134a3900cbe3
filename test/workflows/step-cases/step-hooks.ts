import { Context } from '@temporalio/activity';
import type { Activities, createActivities } from '../../../activities/index.ts';
import type { StepCall } from '../../../activities/step.ts';
import type { Timing } from '../../../domain/run.ts';
import type { OperationName } from '../../../domain/operations.ts';
import type { RunRow } from '../../../adapters/postgres/rows.ts';
import type { Site } from '../../support/site.ts';

/** One delivery of one step to the worker. */
export interface Delivery {
  readonly runId: string;
  /** `cloneVm` or `cloneVm.undo`. */
  readonly step: string;
  readonly input: unknown;
  readonly attempt: number;
  readonly round: number;
  readonly committed: boolean;
}

/** Stands around a delivery; `proceed` carries it out. */
export type Around = (delivery: Delivery, proceed: () => Promise<unknown>) => Promise<unknown>;

export const untouched: Around = (_delivery, proceed) => proceed();

/** Lets a test stand around every step of a run. Each run on its worker is started here, and none begins before its hook is known. */
export class StepHooks {
  readonly #waiting = new Map<string, PromiseWithResolvers<Around>>();

  async start(
    site: Site,
    operation: OperationName,
    input: Record<string, unknown>,
    around: Around,
    timing?: Partial<Timing>,
  ): Promise<RunRow> {
    const run = await site.request(operation, input, timing);
    this.#hookOf(run.id).resolve(around);
    return run;
  }

  /** For the worker: the same activities, each step of them with its hook around. */
  readonly around =
    (create: typeof createActivities): typeof createActivities =>
    (deps) => {
      const entries = Object.entries(create(deps)).map(([name, work]) => [name, this.#hooked(name, work)]);
      return Object.fromEntries(entries) as Activities;
    };

  #hooked(name: string, work: Activities[string]): Activities[string] {
    return async (...args) => {
      const [call]: readonly unknown[] = args;
      if (!isStepCall(call)) return work(...args);
      const hook = await this.#hookOf(call.runId).promise;
      const { attempt } = Context.current().info;
      const { runId, input, committed, round } = call;
      return hook({ runId, step: name, input, committed, round, attempt }, () => work(...args));
    };
  }

  #hookOf(runId: string): PromiseWithResolvers<Around> {
    const known = this.#waiting.get(runId);
    if (known !== undefined) return known;
    const waiting = withResolvers<Around>();
    this.#waiting.set(runId, waiting);
    return waiting;
  }
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}

/** The bookkeeping takes a run id; only steps take a call. */
function isStepCall(value: unknown): value is StepCall<unknown> {
  return typeof value === 'object' && value !== null && 'runId' in value && 'round' in value;
}
