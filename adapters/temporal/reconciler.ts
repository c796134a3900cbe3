import { setTimeout as delay } from 'node:timers/promises';
import type { Failure, FailureCode } from '../../domain/errors.ts';
import { OperationFailure } from '../../domain/errors.ts';
import { isEnded } from '../../domain/run.ts';
import type { Timing } from '../../domain/run.ts';
import type { RunRow } from '../postgres/rows.ts';
import type { LedgerRow, RunStore } from '../postgres/run-store.ts';
import type { Engine, ExecutionStatus } from './engine.ts';
import { startAccepted } from './start-accepted.ts';

export interface ReconcilerOptions {
  /** Pause between two looks at rows that wait for their start. */
  readonly intervalMs: number;
  /** Pause between two looks at rows at work: each costs a question to Temporal, and what is found is rare. */
  readonly openIntervalMs: number;
  /** How long a row may wait for its start before somebody else than its request starts it. */
  readonly graceMs: number;
  /** Told once as long as it lasts: the next round tries again by itself. */
  report(this: void, trouble: unknown): void;
}

export interface Reconciled {
  readonly started: readonly string[];
  readonly closed: readonly string[];
}

type Settled = 'started' | 'closed' | 'left';

const AWAY: ReadonlySet<FailureCode> = new Set(['ENGINE_UNAVAILABLE', 'STORE_UNAVAILABLE']);

/**
 * Brings rows and workflows together again after what nothing else sees: a crash between the row and the start,
 * Temporal away at the moment of the request, a workflow ended by other hands. Any number of them may run side by side:
 * a start is effective once, and so is an end.
 */
export class Reconciler {
  readonly #store: RunStore;
  readonly #engine: Engine;
  readonly #timing: Timing;
  readonly #options: ReconcilerOptions;
  #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #openDueMs = 0;
  /** Troubles of the round before, so that one that lasts for hours is told once. */
  #told: ReadonlySet<string> = new Set();

  constructor(store: RunStore, engine: Engine, timing: Timing, options: ReconcilerOptions) {
    this.#store = store;
    this.#engine = engine;
    this.#timing = timing;
    this.#options = options;
  }

  start(): void {
    this.#stopping = new AbortController();
    this.#loop = this.#rounds(this.#stopping.signal);
  }

  /** Returns when the round at work has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  /**
   * One round over all rows, or over those only that wait for their start. Trouble with a single run is reported and the others are gone on with. Throws only when PostgreSQL or
   * Temporal is away; what was done until then stays done.
   */
  async runOnce(rows: 'all' | 'waiting' = 'all'): Promise<Reconciled> {
    const started: string[] = [];
    const closed: string[] = [];
    const troubles = new Set<string>();
    try {
      const waiting = await this.#store.notStarted(this.#options.graceMs);
      const open = rows === 'all' ? await this.#store.open() : [];
      for (const run of [...waiting, ...open]) {
        const outcome = await this.#settleOrTell(run, troubles);
        if (outcome === 'started') started.push(run.id);
        if (outcome === 'closed') closed.push(run.id);
      }
    } catch (error) {
      this.#tell(error, troubles);
      throw error;
    } finally {
      this.#told = troubles;
    }
    return { started, closed };
  }

  async #rounds(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // What is away has been told, and the next round looks again.
      await this.#round().catch(() => undefined);
      await delay(this.#options.intervalMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #round(): Promise<void> {
    const isOpenDue = performance.now() >= this.#openDueMs;
    await this.runOnce(isOpenDue ? 'all' : 'waiting');
    if (isOpenDue) this.#openDueMs = performance.now() + this.#options.openIntervalMs;
  }

  async #settleOrTell(run: RunRow, troubles: Set<string>): Promise<Settled> {
    try {
      return await this.#settle(run);
    } catch (error) {
      if (error instanceof OperationFailure && AWAY.has(error.code)) throw error;
      this.#tell(
        new Error(`Run ${run.id} could not be compared with Temporal: ${String(error)}`, { cause: error }),
        troubles,
      );
      return 'left';
    }
  }

  async #settle(run: RunRow): Promise<Settled> {
    const status = await this.#engine.describe(run);
    if (status === 'running') return 'left';
    if (status === 'not-found' && run.state === 'accepted') return this.#start(run);
    return this.#close(run, status);
  }

  async #start(run: RunRow): Promise<Settled> {
    try {
      const outcome = await startAccepted(this.#store, this.#engine, run, this.#timing);
      return outcome === 'started' ? 'started' : 'left';
    } catch (error) {
      if (error instanceof OperationFailure && error.code === 'RUN_CONFLICT') return 'closed';
      throw error;
    }
  }

  #tell(trouble: unknown, troubles: Set<string>): void {
    const words = String(trouble);
    if (!this.#told.has(words)) this.#options.report(trouble);
    troubles.add(words);
  }

  /** The row is read again: a run that ended normally between the two looks is left as it is. */
  async #close(run: RunRow, status: ExecutionStatus): Promise<Settled> {
    const now = await this.#store.get(run.id);
    if (now === undefined || isEnded(now.state)) return 'left';
    const owed = (await this.#store.ledger(run.id)).filter((entry) => entry.state === 'owed');
    await this.#store.close(run.id, { state: 'failed', failure: endedOutside(now, status, owed), skips: now.skips });
    return 'closed';
  }
}

function endedOutside(run: RunRow, status: ExecutionStatus, owed: readonly LedgerRow[]): Failure {
  const what =
    status === 'not-found' ? 'is no longer known to Temporal' : `was ended outside the run (Temporal says: ${status})`;
  const where = run.currentStep === undefined ? 'before its first step' : `at step ${run.currentStep}`;
  const left = owed.map((entry) => `${entry.duty} ${entry.kind} ${entry.name} (${entry.id})`).join('; ');
  const message = `The workflow ${run.workflowId} ${what} while the run was ${run.state}, ${where}.`;
  return {
    code: 'ENGINE_TERMINATED',
    message: `${message} ${left === '' ? 'Nothing is owed.' : `Still owed: ${left}.`}`,
    object: run.resource,
    reasons: owed.map((entry) => ({
      object: `${entry.kind} ${entry.name} (${entry.id})`,
      reason: `${entry.duty}: owed by step ${entry.step}`,
    })),
  };
}
