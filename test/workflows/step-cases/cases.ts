import type { Observed, Place } from './observe.ts';
import { JOURNAL } from './rig.ts';

/**
 * What goes wrong at a place. Calls of XAPI: the effect is done and its answer lost (`reply-lost`), the effect comes later
 * than the connection is cut (`late-effect`), also while the run is taken back already (`late-while-undoing`), a refusal
 * that no repetition helps against, with an operator's `retry` (`refused`) or `skip` (`refused-and-skipped`) where the
 * run needs one, a cancellation while the call is held (`cancelled`). Statements: cut before PostgreSQL sees them or
 * after. SSH: the connection is refused, or cut before or after the guest speaks. A step as a whole: done twice in one
 * delivery, or cancelled where it changes nothing outside.
 */
export const FAULTS = {
  xapi: ['reply-lost', 'late-effect', 'refused', 'cancelled'],
  sql: ['cut-before', 'cut-after-request'],
  ssh: ['refuse', 'cut-before', 'cut-after-request'],
  delivery: ['twice'],
} as const;

export type FaultName =
  (typeof FAULTS)[keyof typeof FAULTS][number] | 'late-while-undoing' | 'refused-and-skipped' | 'cancelled';

export interface StepCase {
  readonly title: string;
  readonly observed: Observed;
  readonly place: Place;
  readonly fault: FaultName;
}

/** Each observed change with each fault that can befall it. */
export function casesOf(observed: Observed): StepCase[] {
  const { operation } = observed.scenario;
  return observed.places.flatMap((place) =>
    faultsAt(place, observed.places).map((fault) => {
      const what = place.via === 'delivery' ? '' : ` ${place.what} #${place.nth}`;
      return { title: `${operation} ${place.step}:${what} ${fault}`, observed, place, fault };
    }),
  );
}

function faultsAt(place: Place, places: readonly Place[]): readonly FaultName[] {
  const isUndo = place.step.endsWith('.undo');
  switch (place.via) {
    case 'xapi':
      if (isUndo) return ['reply-lost', 'late-effect', 'refused', 'refused-and-skipped'];
      return [...FAULTS.xapi, place.committed ? 'refused-and-skipped' : 'late-while-undoing'];
    case 'sql':
      return FAULTS.sql;
    case 'ssh':
      return FAULTS.ssh;
    case 'delivery': {
      const changesPool = places.some(({ step, via }) => step === place.step && via === 'xapi');
      return changesPool || isUndo ? FAULTS.delivery : [...FAULTS.delivery, 'cancelled'];
    }
  }
}

/**
 * A part of the cases in which every step still meets every kind of fault, for each way it is reached. The journal is the
 * same code for all steps: one of each operation stands for the others.
 */
export function coveringSubset(cases: readonly StepCase[]): StepCase[] {
  const met = new Set<string>();
  return cases.filter(({ observed, place, fault }) => {
    const where = place.what === JOURNAL ? 'journal' : `${place.step} ${place.via}`;
    const key = `${observed.scenario.operation} ${where} ${fault}`;
    if (met.has(key)) return false;
    met.add(key);
    return true;
  });
}
