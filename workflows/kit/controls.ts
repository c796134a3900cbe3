import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import * as wf from '@temporalio/workflow';
import type { Failure } from '../../domain/errors.ts';
import type { OperatorAnswer, RunState } from '../../domain/run.ts';
import { StepTable } from '../../domain/step-table.ts';
import { bookkeeping } from './steps.ts';

const cancelRun = wf.defineUpdate<string>('cancel');
const retryStep = wf.defineUpdate<string>('retry');
const skipStep = wf.defineUpdate<string, [{ readonly reason: string }]>('skip');
const OPS_STATE = defineSearchAttributeKey('OpsState', SearchAttributeType.KEYWORD);

/** What an operator may ask of a run while it lives, and what can be seen of it in Temporal. */
export class Controls {
  readonly table = new StepTable(wf.setCurrentDetails);
  /** The run has passed its point of no return. */
  committed = false;
  #unwinding = false;
  #heldAt: string | undefined;
  #answer: OperatorAnswer | undefined;

  constructor(scope: wf.CancellationScope) {
    const cancel = () => {
      scope.cancel();
      return 'The step under way ends first, then everything this run did is undone.';
    };
    wf.setHandler(cancelRun, cancel, { validator: () => this.#mayCancel() });
    wf.setHandler(retryStep, () => this.#reply({ verb: 'retry' }), { validator: () => this.#mayAnswer() });
    wf.setHandler(skipStep, ({ reason }) => this.#reply({ verb: 'skip', reason }), {
      validator: ({ reason }: { readonly reason: string }) => this.#mayAnswer(reason),
    });
  }

  startUnwinding(): void {
    this.#unwinding = true;
    this.showState('undoing');
  }

  showState(state: RunState): void {
    wf.upsertSearchAttributes([{ key: OPS_STATE, value: state }]);
    this.table.state(state);
  }

  /** Holds the run until somebody answers; whoever reads that it needs an operator may answer at once. */
  async askOperator(runId: string, step: string, failure: Failure): Promise<OperatorAnswer> {
    this.#heldAt = step;
    await bookkeeping.noteState(runId, 'needs-operator', failure);
    this.table.fail(step, failure.message);
    this.showState('needs-operator');
    await wf.condition(() => this.#answer !== undefined);
    const answer = this.#answer ?? { verb: 'retry' };
    const state = this.#unwinding ? 'undoing' : 'running';
    if (wf.patched('answer-noted')) await bookkeeping.noteState(runId, state);
    this.#heldAt = this.#answer = undefined;
    this.showState(state);
    return answer;
  }

  /** Answers when the row says that the run goes on; also in a cancelled run, whose handlers are cancelled with it. */
  async #reply(answer: OperatorAnswer): Promise<string> {
    const step = this.#heldAt;
    this.#answer = answer;
    const noted = () => wf.condition(() => this.#answer !== answer);
    if (wf.patched('answer-noted')) await wf.CancellationScope.nonCancellable(noted);
    if (answer.verb === 'retry') return `Step ${step} is done again, and the run goes on from there.`;
    return `Step ${step} is left out (${answer.reason}); what it owes stays in the ledger as abandoned.`;
  }

  #mayCancel(): void {
    if (this.#heldAt !== undefined)
      throw refused(`The run is held at step ${this.#heldAt}: answer with retry or skip.`);
    if (this.#unwinding) throw refused('The run is being undone already.');
    if (this.committed) throw refused('The run has passed its point of no return; it can only go forward.');
  }

  #mayAnswer(reason = 'none needed'): void {
    if (reason.trim() === '') throw refused('A skip needs a reason.');
    if (this.#heldAt === undefined) throw refused('The run does not wait for an operator.');
    if (this.#answer !== undefined) throw refused('Somebody has answered already.');
  }
}

function refused(why: string): wf.ApplicationFailure {
  return wf.ApplicationFailure.nonRetryable(why, 'ACTION_REFUSED');
}
