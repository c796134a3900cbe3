import { expect } from '@jest/globals';
import { withoutAsync } from '../../../lab/call-log.ts';
import type { Observed, Place } from '../step-cases/observe.ts';
import { prepare } from '../step-cases/observe.ts';
import type { Rig } from '../step-cases/rig.ts';
import { JOURNAL, statementIn } from '../step-cases/rig.ts';
import { untouched } from '../step-cases/step-hooks.ts';
import { outcomeOf, snapshotOf } from '../step-cases/world-state.ts';
import type { WorkerProcesses } from './worker-process.ts';

/** A worker that dies while a step's call, or the note that the step started or ended, is on its way. */
export interface KillCase {
  readonly title: string;
  readonly observed: Observed;
  readonly step: string;
  readonly at: 'before-effect' | 'after-effect';
  /** The call of XAPI that is held, counted over the whole run; without one the step is held at its journal. */
  readonly call?: { readonly method: string; readonly nth: number };
}

const MOMENTS = ['before-effect', 'after-effect'] as const;

export function killCasesOf(observed: Observed): KillCase[] {
  const forward = observed.places.filter(({ step }) => !step.endsWith('.undo'));
  const calls = forward.filter(({ via }) => via === 'xapi');
  return forward.flatMap((place) => {
    if (place.via !== 'xapi' && place.via !== 'delivery') return [];
    const call = place.via === 'xapi' ? { method: place.what, nth: countOf(calls, place) } : undefined;
    return MOMENTS.map((at) => {
      const what = call === undefined ? 'the step as a whole' : `${call.method} #${place.nth}`;
      const title = `${observed.scenario.operation} ${place.step}: ${what}, killed ${at}`;
      return { title, observed, step: place.step, at, call };
    });
  });
}

function countOf(calls: readonly Place[], place: Place): number {
  return calls.slice(0, calls.indexOf(place) + 1).filter(({ what }) => what === place.what).length;
}

/** Every step once, by turns before and after its effect, at its last call. */
export function oneKillPerStep(cases: readonly KillCase[]): KillCase[] {
  const keyOf = ({ observed, step }: KillCase) => `${observed.scenario.operation} ${step}`;
  return [...new Set(cases.map(keyOf))].map((key, turn) => {
    const ofStep = cases.filter((one) => keyOf(one) === key && one.at === MOMENTS[turn % 2]);
    const last = ofStep.at(-1);
    if (last === undefined) throw new Error(`step ${key} has no case`);
    return last;
  });
}

/** What may be called again by whoever takes over: writing the same value, or the same content, twice. */
const REPEATABLE = /\.(set|remove_from)_|^PUT /;

/** Kills the worker at the moment of the case, starts another, and holds the run's end against the undisturbed one's. */
export async function performKill(rig: Rig, workers: WorkerProcesses, one: KillCase, name: string): Promise<void> {
  const [lane = ''] = rig.lanes;
  const { scenario } = one.observed;
  await prepare(rig, scenario, lane, name);
  const before = await snapshotOf(rig, lane);
  const hold = holdAt(rig, one, lane);
  const { id } = await rig.hooks.start(rig.site, scenario.operation, scenario.input(lane, name), untouched);
  await hold.reached();
  await workers.kill();
  hold.release();
  await workers.start();
  const run = await rig.site.ended(id);
  expect({ state: run.state, failure: run.failure }).toEqual({ state: 'succeeded', failure: undefined });
  expect(await outcomeOf(rig, before, lane, name)).toEqual(one.observed.outcome);
  const events = await rig.site.store.events(id, 0);
  expect(events.some(({ step, kind, attempt = 0 }) => step === one.step && kind === 'step-done' && attempt > 1)).toBe(
    true,
  );
  expect(effectCalls(rig, lane, before.calls)).toEqual(expectedCalls(one));
}

interface Hold {
  reached(this: void): Promise<unknown>;
  release(): void;
}

const LONG_MS = 600_000;

function holdAt(rig: Rig, { call, at, step }: KillCase, lane: string): Hold {
  if (call !== undefined) {
    const barrier = rig.site.lab.hold({ ...call, pool: lane, at });
    return { reached: () => barrier.reached, release: () => barrier.release() };
  }
  const note = at === 'before-effect' ? 'step-started' : 'step-done';
  let settle: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => (settle = resolve));
  // The note is held for longer than its worker lives; then its connection is cut, as the kernel of a dead client does.
  rig.databaseProxy.plan({
    kind: 'delay',
    delayMs: LONG_MS,
    match: (chunk) => {
      const text = chunk.toString('latin1');
      const meant = statementIn(chunk) === JOURNAL && text.includes(note) && includesWord(text, step);
      if (meant) settle();
      return meant;
    },
  });
  return { reached: () => reached, release: () => rig.databaseProxy.cutAll() };
}

/** Parameters travel between bytes of length, which are no letters. */
function includesWord(text: string, word: string): boolean {
  return new RegExp(`(?<![A-Za-z.])${word}(?![A-Za-z.])`).test(text);
}

function effectCalls({ site }: Rig, lane: string, since: number): string[] {
  const calls = site.lab.calls({ since, mutating: true }).filter(({ pool }) => pool === lane);
  return calls
    .map(({ method }) => withoutAsync(method))
    .filter((method) => !REPEATABLE.test(method))
    .sort();
}

function expectedCalls({ observed }: KillCase): string[] {
  const calls = observed.places.filter(({ via, step }) => via === 'xapi' && !step.endsWith('.undo'));
  return calls
    .map(({ what }) => what)
    .filter((method) => !REPEATABLE.test(method))
    .sort();
}
