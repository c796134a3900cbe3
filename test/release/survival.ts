import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PartName, ProductionSite } from './support/production-site.ts';
import { startProductionSite } from './support/production-site.ts';

const TEST_LIMIT_MS = 570_000;
/** Between two deaths: work has to get on, and each death has to find some under way. */
const BREATH_MS = 500;

function deployment(name: string) {
  return { pool: 'ams1', name, template: 'debian-12', vcpus: 1, memoryMiB: 512, networks: ['tenant'] };
}

/** Asks for VMs, four at a time, as long as more are wanted, and waits for every run. Answers their names. */
async function deployWhile(site: ProductionSite, prefix: string, isMoreWanted: (asked: number) => boolean) {
  const names: string[] = [];
  const lane = async () => {
    while (isMoreWanted(names.length)) {
      const name = `${prefix}-${names.length}`;
      names.push(name);
      const { id } = await site.api.start('deploy-vm', deployment(name), randomUUID());
      const run = await site.api.ended(id);
      expect({ name, state: run.state, failure: run.failure?.message }).toEqual({ name, state: 'succeeded' });
    }
  };
  await Promise.all(Array.from({ length: 4 }, lane));
  return names.toSorted();
}

function vmNames(site: ProductionSite, prefix: string): string[] {
  const vms = site.lab.world.store.records('VM').map(([, vm]) => vm.name_label);
  return vms.filter((name) => name.includes(prefix)).toSorted();
}

async function restartInTurn(site: ProductionSite, part: PartName, signals: readonly NodeJS.Signals[]): Promise<void> {
  for (const signal of signals) {
    await sleep(BREATH_MS);
    await site.restart(part, signal);
  }
}

const turns = (count: number): NodeJS.Signals[] =>
  Array.from({ length: count }, (_, index) => (index % 2 === 0 ? 'SIGKILL' : 'SIGINT'));

describe('the production shape under load', () => {
  let site: ProductionSite;

  beforeAll(async () => {
    site = await startProductionSite();
  }, TEST_LIMIT_MS);

  afterAll(() => site.stop(), TEST_LIMIT_MS);

  it(
    'makes every VM once when a worker and an API process are killed',
    async () => {
      const load = deployWhile(site, 'killed', (asked) => asked < 24);
      await restartInTurn(site, 'worker-1', ['SIGKILL']);
      await restartInTurn(site, 'api-1', ['SIGKILL']);
      const names = await load;
      expect(names).toHaveLength(24);
      expect(vmNames(site, 'killed')).toEqual(names);
    },
    TEST_LIMIT_MS,
  );

  it(
    'takes one key for one run, whichever API process is asked',
    async () => {
      const key = randomUUID();
      const asked = await Promise.all(
        Array.from({ length: 20 }, () => site.api.start('deploy-vm', deployment('one-key'), key)),
      );
      expect(new Set(asked.map(({ id }) => id)).size).toBe(1);
      expect(await site.api.ended(asked[0]?.id ?? '')).toMatchObject({ state: 'succeeded' });
      expect(vmNames(site, 'one-key')).toEqual(['one-key']);
    },
    TEST_LIMIT_MS,
  );

  it(
    'ends every run right while PostgreSQL restarts 5 times, Temporal 3 times and the API 20 times',
    async () => {
      let isShaking = true;
      const load = deployWhile(site, 'shaken', (asked) => asked < 20 || isShaking);
      await Promise.all([
        restartInTurn(site, 'postgres', turns(5)),
        restartInTurn(site, 'temporal', turns(3)),
        restartInTurn(site, 'api-1', turns(10)),
        restartInTurn(site, 'api-2', turns(10)),
      ]).finally(() => (isShaking = false));
      const names = await load;
      const vms = vmNames(site, 'shaken');
      process.stderr.write(
        `restarts: PostgreSQL 5, Temporal 3, API 20; deployments asked ${names.length}, VMs in the pool ${vms.length}\n`,
      );
      expect(vms).toEqual(names);
    },
    TEST_LIMIT_MS,
  );
});
