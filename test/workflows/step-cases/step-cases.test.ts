import { env } from 'node:process';
import { afterAll, describe, expect, it } from '@jest/globals';
import { casesOf, coveringSubset } from './cases.ts';
import { observe } from './observe.ts';
import type { Observed } from './observe.ts';
import { startRig } from './rig.ts';
import { runCases } from './run-cases.ts';
import { SCENARIOS } from './scenarios.ts';

const LANES = 12;
const TIME_LIMIT_MS = 15 * 60_000;

const rig = await startRig({ lanes: LANES });
afterAll(() => rig.stop(), TIME_LIMIT_MS);

const observed: Observed[] = [];
for (const scenario of SCENARIOS) observed.push(await observe(rig, scenario));

const possible = observed.flatMap(casesOf);
const cases = env['SWITCHBOARD_RELEASE'] === '1' ? possible : coveringSubset(possible);
const verdicts = runCases(rig, cases);
process.stderr.write(`step cases: ${cases.length} of ${possible.length}\n`);

describe.each(observed)('$scenario.operation, a fault at every change it was seen to make', (seen) => {
  for (const one of cases.filter((each) => each.observed === seen)) {
    it(
      one.title,
      async () => {
        const verdict = await verdicts.get(one);
        if (verdict !== undefined) throw verdict.error;
      },
      TIME_LIMIT_MS,
    );
  }

  it('leaves no step out', () => {
    const steps = new Set(seen.places.map(({ step }) => step));
    expect(new Set(cases.filter((one) => one.observed === seen).map(({ place }) => place.step))).toEqual(steps);
  });
});
