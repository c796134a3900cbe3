import { ApplicationFailure, CancellationScope, CancelledFailure } from '@temporalio/workflow';
import type { Controls } from './controls.ts';
import { failureOf } from './failures.ts';
import { bookkeeping, callStep, callUndo, quick } from './steps.ts';
import type { InputOf, OutputOf, Patience, RunContext, StepName, LastStepName } from './steps.ts';

/**
 * Four promises: the undo is registered before its step runs, with the step's input; every step finds before it does;
 * after commit() a run goes forward only; unwinding cannot be cancelled and loses nothing.
 */
export class Saga {
  readonly skips: { readonly step: string; readonly reason: string }[] = [];
  readonly #run: RunContext;
  readonly #controls: Controls;
  readonly #undos: { readonly step: StepName; readonly input: unknown }[] = [];

  constructor(run: RunContext, controls: Controls) {
    this.#run = run;
    this.#controls = controls;
  }

  /** Before the point of no return: a failure here takes the run back. */
  async step<N extends StepName>(name: N, input: InputOf<N>, patience: Patience = quick): Promise<OutputOf<N>> {
    if (this.#controls.committed) throw ApplicationFailure.nonRetryable(`${name} after commit(): use finish()`, 'BUG');
    this.#undos.push({ step: name, input });
    this.#controls.table.begin(name);
    const output = await callStep(this.#run, name, input, patience);
    this.#controls.table.end(name);
    return output;
  }

  /** The point of no return. From here on nothing is undone and cancelling is refused. */
  commit(): void {
    // Who asked for a cancellation before this point was told that everything is undone.
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('Cancelled before commit()');
    this.#controls.committed = true;
    this.#undos.length = 0;
  }

  /** After the point of no return: what fails is held for an operator, then done again or left with a reason. */
  async finish<N extends LastStepName>(name: N, input: InputOf<N>, patience: Patience = quick): Promise<void> {
    const run = { ...this.#run, committed: true };
    await CancellationScope.nonCancellable(() =>
      this.#insist(name, async (round) => {
        await callStep({ ...run, round }, name, input, patience);
        return 'done';
      }),
    );
  }

  /** Takes back all that was done, latest first. Ends only when every undo came through or an operator took it over. */
  async unwind(): Promise<void> {
    this.#controls.startUnwinding();
    await CancellationScope.nonCancellable(async () => {
      for (let undo = this.#undos.pop(); undo !== undefined; undo = this.#undos.pop()) {
        const { step, input } = undo;
        await this.#insist(`${step}.undo`, (round) => callUndo({ ...this.#run, round }, step, input));
      }
    });
  }

  async #insist(what: string, work: (round: number) => Promise<string>): Promise<void> {
    this.#controls.table.begin(what);
    for (let round = 0; ; round += 1) {
      try {
        this.#controls.table.end(what, await work(round));
        return;
      } catch (error) {
        const answer = await this.#controls.askOperator(this.#run.runId, what, failureOf(error));
        if (answer.verb === 'retry') continue;
        await this.#skip(what, answer.reason);
        return;
      }
    }
  }

  async #skip(step: string, reason: string): Promise<void> {
    this.skips.push({ step, reason });
    this.#controls.table.skip(step, reason);
    await bookkeeping.abandonStep(this.#run.runId, step.replace(/\.undo$/, ''), reason);
  }
}
