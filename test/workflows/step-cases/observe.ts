import { withoutAsync } from '../../../lab/call-log.ts';
import { cancel } from './plant-fault.ts';
import type { Rig } from './rig.ts';
import { statementIn } from './rig.ts';
import type { Scenario } from './scenarios.ts';
import type { Around, Delivery } from './step-hooks.ts';
import { untouched } from './step-hooks.ts';
import { outcomeOf, snapshotOf } from './world-state.ts';

/** Where a fault can be put: the nth call or statement of a kind in a step, or (`delivery`) the step as a whole. */
export interface Place {
  /** `cloneVm` or `cloneVm.undo`. */
  readonly step: string;
  readonly committed: boolean;
  readonly via: 'delivery' | 'xapi' | 'sql' | 'ssh';
  /** `VM.clone`, `insert into ledger`, or the step's name. */
  readonly what: string;
  readonly nth: number;
}

/** What an operation did in an undisturbed world. */
export interface Observed {
  readonly scenario: Scenario;
  readonly places: readonly Place[];
  /** How the world differs afterwards. */
  readonly outcome: readonly string[];
  /** The last step from which there is a way back: cancelled there, everything is undone. */
  readonly lastUndoable: string;
}

/** Runs the operation twice, once to its end and once to be taken back, and notes every change it makes outside, step by step. */
export async function observe(rig: Rig, scenario: Scenario): Promise<Observed> {
  const [lane = ''] = rig.lanes;
  const name = `${scenario.operation}-seen`;
  const forward = new Recorder(rig, lane);
  await prepare(rig, scenario, lane, name);
  const before = await snapshotOf(rig, lane);
  const run = await forward.record(() =>
    rig.hooks.start(rig.site, scenario.operation, scenario.input(lane, name), forward.around),
  );
  if (run.state !== 'succeeded') throw new Error(`undisturbed, ${scenario.operation} ended ${run.state}`);
  const outcome = await outcomeOf(rig, before, lane, name);
  const onward = forward.places();
  const lastUndoable = onward.findLast(({ committed }) => !committed)?.step ?? '';
  const back = await observeUndo(rig, scenario, lane, lastUndoable);
  return { scenario, places: [...onward, ...back], outcome, lastUndoable };
}

async function observeUndo(rig: Rig, scenario: Scenario, lane: string, lastUndoable: string): Promise<Place[]> {
  const name = `${scenario.operation}-undone`;
  await prepare(rig, scenario, lane, name);
  const recorder = new Recorder(rig, lane);
  const around = cancelledAt(rig, lastUndoable, recorder.around);
  const run = await recorder.record(() =>
    rig.hooks.start(rig.site, scenario.operation, scenario.input(lane, name), around),
  );
  if (run.state !== 'cancelled') throw new Error(`cancelled, ${scenario.operation} ended ${run.state}`);
  return recorder.places().filter(({ step }) => step.endsWith('.undo'));
}

/** What has to be there first, e.g. a VM to delete. */
export async function prepare(rig: Rig, { after }: Scenario, lane: string, name: string): Promise<void> {
  if (after === undefined) return;
  await prepare(rig, after, lane, name);
  const { id } = await rig.hooks.start(rig.site, after.operation, after.input(lane, name), untouched);
  const run = await rig.site.ended(id);
  if (run.state !== 'succeeded') throw new Error(`${after.operation}, to prepare ${name}, ended ${run.state}`);
}

/** Has an operator cancel the run while the step is under way. */
export function cancelledAt(rig: Rig, step: string, around: Around): Around {
  return async (delivery, proceed) => {
    if (delivery.step === step && delivery.attempt === 1) await cancel(rig, delivery.runId);
    return around(delivery, proceed);
  };
}

/** A delivery with what changed from its start to the next one's: a server may note a connection only after its client has gone. */
interface Window {
  readonly delivery: Delivery;
  readonly sinceCall: number;
  readonly statements: string[];
}

class Recorder {
  readonly #rig: Rig;
  readonly #lane: string;
  readonly #windows: Window[] = [];
  /** Between two steps only the end of a run is written, which is no step's. */
  #atWork: Window | undefined;

  constructor(rig: Rig, lane: string) {
    this.#rig = rig;
    this.#lane = lane;
  }

  /** To be asked as soon as the run has ended. */
  places(): Place[] {
    return this.#windows.flatMap((window, at) => this.#placesIn(window, this.#windows[at + 1]?.sinceCall));
  }

  async record(start: () => Promise<{ readonly id: string }>) {
    // A plan that never happens: it only looks at what passes.
    this.#rig.databaseProxy.plan({
      kind: 'cut-before',
      match: (chunk) => {
        const statement = statementIn(chunk);
        if (statement !== undefined) this.#atWork?.statements.push(statement);
        return false;
      },
    });
    return this.#rig.site.ended((await start()).id);
  }

  readonly around: Around = async (delivery, proceed) => {
    const window = { delivery, sinceCall: this.#rig.site.lab.calls().length, statements: [] as string[] };
    this.#windows.push(window);
    this.#atWork = window;
    try {
      return await proceed();
    } finally {
      this.#atWork = undefined;
    }
  };

  #placesIn({ delivery, sinceCall, statements }: Window, untilCall = Infinity): Place[] {
    const calls = this.#rig.site.lab.calls({ since: sinceCall }).filter(({ seq }) => seq <= untilCall);
    const changes = calls.filter(({ mutating, pool }) => mutating && pool === this.#lane);
    const connections = calls.filter(({ method }) => method === 'ssh.connect').slice(0, 1);
    return [
      ...placesOf(delivery, 'delivery', [delivery.step]),
      ...placesOf(
        delivery,
        'xapi',
        changes.map(({ method }) => withoutAsync(method)),
      ),
      ...placesOf(delivery, 'sql', statements),
      ...placesOf(
        delivery,
        'ssh',
        connections.map(({ method }) => method),
      ),
    ];
  }
}

function placesOf({ step, committed }: Delivery, via: Place['via'], seen: readonly string[]): Place[] {
  return seen.map((what, at) => {
    const nth = seen.slice(0, at + 1).filter((other) => other === what).length;
    return { step, committed, via, what, nth };
  });
}
