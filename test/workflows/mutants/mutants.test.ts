import { afterAll, describe, expect, it } from '@jest/globals';
import { casesOf } from '../step-cases/cases.ts';
import type { StepCase } from '../step-cases/cases.ts';
import { observe } from '../step-cases/observe.ts';
import { perform } from '../step-cases/perform.ts';
import { startRig } from '../step-cases/rig.ts';
import type { Rig } from '../step-cases/rig.ts';
import { SCENARIOS } from '../step-cases/scenarios.ts';
import { untouched } from '../step-cases/step-hooks.ts';
import { buildMutant } from './build-mutant.ts';
import type { Mutant } from './build-mutant.ts';

const TIME_LIMIT_MS = 3 * 60_000;
const DEPLOY = SCENARIOS.filter(({ operation }) => operation === 'deploy-vm');

const MUTANTS: readonly Mutant[] = [
  {
    name: 'no-undo',
    changes: [{ file: 'workflows/kit/saga.ts', from: 'this.#undos.push({ step: name, input });', to: '' }],
    caughtBy: ['deploy-vm startVm: VM.start #1 refused', 'deploy-vm createDisks: VDI.create #2 cancelled'],
  },
  {
    name: 'blind-find',
    changes: [
      {
        file: 'activities/deliver.ts',
        from: '(await step.find(ctx, input)) ?? step.do(ctx, input)',
        to: 'step.do(ctx, input)',
      },
      { file: 'activities/support/create-once.ts', from: 'if (found !== undefined) return found;', to: '' },
    ],
    caughtBy: ['deploy-vm cloneVm: twice', 'deploy-vm createDisks: VDI.create #1 reply-lost'],
  },
  {
    name: 'swallowed-error',
    changes: [
      {
        file: 'activities/deliver.ts',
        from: 'await undo(ctx, input);',
        to: 'await undo(ctx, input).catch(() => undefined);',
      },
    ],
    caughtBy: [
      'deploy-vm cloneVm.undo: VM.destroy #1 refused',
      'deploy-vm createDisks.undo: VDI.destroy #1 reply-lost',
    ],
  },
];

const sound = await startRig({ lanes: 2 });
afterAll(() => sound.stop(), TIME_LIMIT_MS);
const cases = (await Promise.all(DEPLOY.map((scenario) => observe(sound, scenario)))).flatMap((seen) => casesOf(seen));

function caseCalled(title: string): StepCase {
  const found = cases.find((one) => one.title === title);
  if (found === undefined)
    throw new Error(`there is no step case "${title}"; there is: ${cases.map((c) => c.title).join('; ')}`);
  return found;
}

/** A mutant that could not work at all would fail every case and prove nothing. */
async function deploysUndisturbed(rig: Rig): Promise<string[]> {
  const [lane = ''] = rig.lanes;
  const states = DEPLOY.map(async (scenario) => {
    const { id } = await rig.hooks.start(rig.site, scenario.operation, scenario.input(lane, 'undisturbed'), untouched);
    return (await rig.site.ended(id)).state;
  });
  return Promise.all(states);
}

describe.each(MUTANTS)('the kit with a fault put in: $name', (mutant) => {
  it.each(mutant.caughtBy)(
    'passes, without the fault: %s',
    (title) =>
      perform(sound, caseCalled(title), sound.lanes[1] ?? '', `sound-${mutant.name}-${mutant.caughtBy.indexOf(title)}`),
    TIME_LIMIT_MS,
  );

  it(
    'still works while nothing goes wrong, and each of these cases notices it',
    async () => {
      const { create, workflowsPath, remove } = await buildMutant(mutant);
      const rig = await startRig({ lanes: mutant.caughtBy.length, create, workflowsPath });
      try {
        expect(await deploysUndisturbed(rig)).toEqual(['succeeded']);
        const verdicts = mutant.caughtBy.map((title, at) =>
          perform(rig, caseCalled(title), rig.lanes[at] ?? '', `mutant-${at}`).then(
            () => `${title}: not noticed`,
            () => 'noticed',
          ),
        );
        expect(await Promise.all(verdicts)).toEqual(mutant.caughtBy.map(() => 'noticed'));
      } finally {
        await rig.stop();
        remove();
      }
    },
    TIME_LIMIT_MS,
  );
});
