import type { StepCase } from './cases.ts';
import { perform } from './perform.ts';
import type { Rig } from './rig.ts';

/** What came of a case: undefined when all was as it should be. */
export type Verdict = { readonly error: unknown } | undefined;

/**
 * Runs all cases: those of SSH in the lane made for them, the others wherever a lane is free.
 * @returns for each case the promise of its verdict
 */
export function runCases(rig: Rig, cases: readonly StepCase[]): ReadonlyMap<StepCase, Promise<Verdict>> {
  const verdicts = new Map<StepCase, Promise<Verdict>>();
  const settlers = new Map<StepCase, (verdict: Verdict) => void>();
  for (const one of cases) verdicts.set(one, new Promise((settle) => settlers.set(one, settle)));
  const runIn = async (lane: string, queue: StepCase[]) => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      settlers.get(one)?.(await verdictOn(rig, one, lane, `case-${cases.indexOf(one)}`));
    }
  };
  const ssh = cases.filter(({ place }) => place.via === 'ssh');
  const others = cases.filter(({ place }) => place.via !== 'ssh');
  void runIn(rig.sshLane, ssh);
  for (const lane of rig.lanes) void runIn(lane, others);
  return verdicts;
}

async function verdictOn(rig: Rig, one: StepCase, lane: string, name: string): Promise<Verdict> {
  try {
    await perform(rig, one, lane, name);
    return undefined;
  } catch (error) {
    return { error };
  }
}
