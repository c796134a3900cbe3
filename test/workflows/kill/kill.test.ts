import { env } from 'node:process';
import { afterAll, describe, it } from '@jest/globals';
import { observe } from '../step-cases/observe.ts';
import type { Observed } from '../step-cases/observe.ts';
import { startRig } from '../step-cases/rig.ts';
import { SCENARIOS } from '../step-cases/scenarios.ts';
import { killCasesOf, oneKillPerStep, performKill } from './kill-cases.ts';
import type { KillCase } from './kill-cases.ts';
import { WorkerProcesses } from './worker-process.ts';

/** So many installations side by side; each has one worker process at a time. */
const SIDE_BY_SIDE = 2;
const TIME_LIMIT_MS = 20 * 60_000;

const observed: Observed[] = [];
const watched = await startRig({ lanes: 1 });
for (const scenario of SCENARIOS) observed.push(await observe(watched, scenario));
await watched.stop();

const possible = observed.flatMap(killCasesOf);
const cases = env['SWITCHBOARD_RELEASE'] === '1' ? possible : oneKillPerStep(possible);
process.stderr.write(`kills of the worker: ${cases.length} of ${possible.length}\n`);

const rigs = await Promise.all(Array.from({ length: SIDE_BY_SIDE }, () => startRig({ lanes: 1, worker: false })));
const workers = rigs.map((rig) => new WorkerProcesses(rig));
await Promise.all(workers.map((one) => one.start()));
afterAll(async () => {
  await Promise.all(workers.map((one) => one.close()));
  await Promise.all(rigs.map((rig) => rig.stop()));
}, TIME_LIMIT_MS);

const verdicts = new Map<KillCase, Promise<unknown>>();
rigs.forEach((rig, side) => {
  const processes = workers[side];
  if (processes === undefined) throw new Error('each installation has its workers');
  let before: Promise<unknown> = Promise.resolve();
  cases.forEach((one, at) => {
    if (at % SIDE_BY_SIDE !== side) return;
    before = before.then(() => performKill(rig, processes, one, `kill-${at}`).catch((error: unknown) => ({ error })));
    verdicts.set(one, before);
  });
});

describe('a worker that is killed', () => {
  it.each(cases.map((one) => [one.title, one] as const))(
    'leaves a run that the next one completes: %s',
    async (_title, one) => {
      const verdict = await verdicts.get(one);
      if (typeof verdict === 'object' && verdict !== null && 'error' in verdict) throw verdict.error;
    },
    TIME_LIMIT_MS,
  );
});
