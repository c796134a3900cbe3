import { expect } from '@jest/globals';
import type { RunRow } from '../../../adapters/postgres/rows.ts';
import { isEnded } from '../../../domain/run.ts';
import { eventually } from '../../support/eventually.ts';
import type { StepCase } from './cases.ts';
import { cancelledAt, prepare } from './observe.ts';
import type { Planted } from './plant-fault.ts';
import { plantFault } from './plant-fault.ts';
import type { Rig } from './rig.ts';
import type { Around } from './step-hooks.ts';
import { outcomeOf, snapshotOf } from './world-state.ts';

/** Wide for what heals by itself; short where an undo is meant to give up and ask. */
const PATIENT_UNDO_MS = 20_000;
const SHORT_UNDO_MS = 8_000;

const REASON = 'taken over by hand';

/** Runs one case in its lane and holds what came of it against what has to come of it. */
export async function perform(rig: Rig, one: StepCase, lane: string, name: string): Promise<void> {
  const { scenario } = one.observed;
  await prepare(rig, scenario, lane, name);
  const before = await snapshotOf(rig, lane);
  const story = new Story(rig, one, lane);
  const undoBudgetMs = one.fault === 'refused-and-skipped' ? SHORT_UNDO_MS : PATIENT_UNDO_MS;
  const run = await rig.hooks.start(rig.site, scenario.operation, scenario.input(lane, name), story.around, {
    undoBudgetMs,
  });
  const ended = await story.follow(run.id);
  const planted = await story.planted;
  try {
    expect({ fired: planted.fired() }).toEqual({ fired: 1 });
    expect(await planted.cancellation).toEqual(expectedAnswer(one));
    await checkRun(rig, one, ended);
    await checkRest(rig, ended.id, lane);
    const outcome = await outcomeOf(rig, before, lane, name);
    if (one.fault === 'refused-and-skipped') await checkSkipped(rig, one, ended, outcome);
    else if (isTakenBack(one)) expect(outcome.filter((line) => !scenario.traces.includes(line))).toEqual([]);
    else expect(outcome).toEqual(one.observed.outcome);
  } finally {
    await planted.close();
  }
}

/** Plants the fault when its step begins, and plays the operator's part until the run has ended. */
class Story {
  readonly around: Around;
  #planted: Promise<Planted> = Promise.reject(new Error('the run never came to the step of its fault'));
  readonly #rig: Rig;
  readonly #case: StepCase;

  constructor(rig: Rig, one: StepCase, lane: string) {
    this.#rig = rig;
    this.#case = one;
    this.#planted.catch(() => undefined);
    const faulty: Around = async (delivery, proceed) => {
      const { step, attempt, round } = delivery;
      if (step !== one.place.step || attempt > 1 || round > 0) return proceed();
      this.#planted = plantFault(rig, one, lane, delivery);
      await this.#planted;
      if (one.fault === 'twice') await proceed();
      return proceed();
    };
    this.around = isUndo(one) ? cancelledAt(rig, one.observed.lastUndoable, faulty) : faulty;
  }

  /** Rejects when the run has never come to the step. */
  get planted(): Promise<Planted> {
    return this.#planted;
  }

  async follow(runId: string): Promise<RunRow> {
    const { engine } = this.#rig.site;
    for (let answers = 0; ; answers += 1) {
      await eventually(
        async () => isEnded((await this.#run(runId)).state) || (await this.#timesHeld(runId)) > answers,
        (goesOnlyOnWithUs) => goesOnlyOnWithUs,
        `run ${runId} ends or needs an operator`,
      );
      const run = await this.#run(runId);
      if (isEnded(run.state)) return run;
      await this.#checkHeld(run);
      if (this.#case.fault === 'refused-and-skipped') await engine.skip(run, 'tester', REASON);
      else await engine.retry(run, 'tester');
    }
  }

  async #run(runId: string): Promise<RunRow> {
    const run = await this.#rig.site.store.get(runId);
    if (run === undefined) throw new Error(`there is no run ${runId}`);
    return run;
  }

  async #timesHeld(runId: string): Promise<number> {
    const events = await this.#rig.site.store.events(runId, 0);
    return events.filter(({ state }) => state === 'needs-operator').length;
  }

  /** Only a refusal may hold a run, where it cannot go back; it keeps its lock and says what is left. */
  async #checkHeld(run: RunRow): Promise<void> {
    const { db, site } = this.#rig;
    expect(this.#case.fault).toMatch(/^refused/);
    expect(run.failure).toBeDefined();
    expect(await db.selectFrom('locks').selectAll().where('run_id', '=', run.id).execute()).toHaveLength(1);
    const owed = (await site.store.ledger(run.id)).filter(({ state }) => state === 'owed');
    if (this.#case.place.committed) expect(owed).not.toEqual([]);
  }
}

const isUndo = ({ place }: StepCase) => place.step.endsWith('.undo');

function isTakenBack(one: StepCase): boolean {
  if (isUndo(one)) return true;
  return !one.place.committed && ['refused', 'cancelled', 'late-while-undoing'].includes(one.fault);
}

function expectedAnswer({ fault, place }: StepCase): unknown {
  if (fault !== 'cancelled' && fault !== 'late-while-undoing') return undefined;
  return expect.stringContaining(place.committed ? 'point of no return' : 'everything this run did is undone');
}

function expectedState(one: StepCase): string {
  if (isUndo(one)) return 'cancelled';
  if (one.fault === 'refused-and-skipped') return 'succeeded-with-skips';
  if (!isTakenBack(one)) return 'succeeded';
  return one.fault === 'refused' ? 'failed' : 'cancelled';
}

async function checkRun(rig: Rig, one: StepCase, run: RunRow): Promise<void> {
  const { place, fault } = one;
  expect({ state: run.state, failure: run.state === 'failed' ? undefined : run.failure }).toEqual({
    state: expectedState(one),
    failure: undefined,
  });
  const events = await rig.site.store.events(run.id, 0);
  const failed = events.filter(({ kind }) => kind === 'attempt-failed');
  // Every failure that a case brings about is one that the catalogue knows.
  expect(failed.filter(({ failure }) => failure?.code === 'BUG')).toEqual([]);
  if (fault === 'refused') expect(failed.map(({ step }) => step)).toEqual([place.step]);
  const repeated = events.some(
    ({ kind, step, attempt = 0 }) => kind === 'step-started' && step === place.step && attempt > 1,
  );
  const heals = ['reply-lost', 'late-effect', 'cut-before', 'cut-after-request'].includes(fault) && place.via !== 'ssh';
  if (heals) expect({ repeated }).toEqual({ repeated: true });
}

/** What an operator took over stays to be read, with the reason, and every VM and disk that is left is among it. */
async function checkSkipped(rig: Rig, one: StepCase, run: RunRow, outcome: readonly string[]): Promise<void> {
  expect(run.skips).toContainEqual({ step: one.place.step, reason: REASON });
  const taken = (await rig.site.store.ledger(run.id)).filter(({ state }) => state === 'abandoned');
  expect(taken.filter(({ reason }) => reason !== REASON)).toEqual([]);
  const left = isTakenBack(one) ? outcome : one.observed.outcome.filter((line) => !outcome.includes(line));
  const names = left.flatMap((line) => /^(?:VM|VDI) (.+) (?:added|removed)$/.exec(line)?.[1] ?? []);
  const vm = String(run.resource.split('/').at(-1));
  expect(names.filter((name) => !taken.some((entry) => entry.name.replaceAll(vm, 'VM') === name))).toEqual([]);
}

/** Nothing that belongs to a run outlives it. */
async function checkRest({ db, site }: Rig, runId: string, lane: string): Promise<void> {
  expect(await db.selectFrom('locks').selectAll().where('run_id', '=', runId).execute()).toEqual([]);
  expect(await db.selectFrom('run_secrets').select('name').where('run_id', '=', runId).execute()).toEqual([]);
  expect((await site.store.ledger(runId)).filter(({ state }) => state === 'owed')).toEqual([]);
  const world = site.lab.worlds.find(({ id }) => id === lane);
  const tasks = [...(world?.store.entries('task') ?? [])].map(({ record }) => record);
  expect(tasks.filter(({ status }) => status === 'pending').map((task) => task.name_label)).toEqual([]);
}
