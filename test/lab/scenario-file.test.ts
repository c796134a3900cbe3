import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startLab } from '../../lab/lab.ts';
import { defaultPool } from '../../lab/scenario.ts';
import { ScenarioTrouble, parseScenario, readScenario, shippedScenarios } from '../../lab/scenario-file.ts';

const small = `
description: Two small pools.
seed: 4
latency: reference
latenciesMs: {clone: 100}
faults:
  - {kind: cut, method: VM.clone, at: mid}
pools:
  - id: 'p{n}'
    count: 2
    hosts:
      - {name: '{pool}-h{n}', count: 2, memoryGiB: 8, cpus: 4}
    srs:
      - {name: shared, sizeGiB: 100}
      - {name: 'local-{host}', sizeGiB: 10, hosts: each}
    networks:
      - {name: tenant}
    templates:
      - {name: tiny, sr: shared, network: tenant, diskGiB: 1, memoryGiB: 1, vcpus: 1}
    vms:
      - {name: 'up-{n}', count: 3, template: tiny, powerState: Running}
      - {name: down, template: tiny}
`;

/** What is said about the text after one change to it. */
function said(search: string, replacement: string): string {
  expect(small).toContain(search);
  try {
    parseScenario(small.replace(search, replacement), 'mine.yaml');
  } catch (error) {
    if (error instanceof ScenarioTrouble) return error.message;
    throw error;
  }
  return '';
}

describe('a scenario file', () => {
  it('repeats pools, hosts and VMs, and gives each host its own where it says so', () => {
    const { options, faults } = parseScenario(small, 'mine.yaml');
    expect(options.pools?.map(({ id }) => id)).toEqual(['p1', 'p2']);
    const second = options.pools?.[1];
    expect(second?.hosts.map(({ name }) => name)).toEqual(['p2-h1', 'p2-h2']);
    expect(second?.srs.map(({ name, hosts }) => [name, hosts])).toEqual([
      ['shared', ['p2-h1', 'p2-h2']],
      ['local-p2-h1', ['p2-h1']],
      ['local-p2-h2', ['p2-h2']],
    ]);
    expect(second?.vms?.map(({ name }) => name)).toEqual(['up-1', 'up-2', 'up-3', 'down']);
    expect(options).toMatchObject({ seed: 4, latencies: 'reference', latenciesMs: { clone: 100 } });
    expect(faults).toEqual([{ kind: 'cut', method: 'VM.clone', at: 'mid' }]);
  });

  it('is what a lab starts with: running VMs are spread over the hosts and answer', async () => {
    const lab = await startLab({ ...parseScenario(small, 'mine.yaml').options, guestSshPort: 0 });
    try {
      const { store, runningGuests } = lab.world;
      const running = store.records('VM').filter(([, vm]) => vm.name_label.startsWith('up-'));
      expect(running.map(([, vm]) => vm.power_state)).toEqual(['Running', 'Running', 'Running']);
      expect(new Set(running.map(([, vm]) => vm.resident_on)).size).toBe(2);
      for (const [ref] of running) expect((await runningGuests.get(ref)?.booted)?.address).toMatch(/^127\.1\./);
      const [down = ''] = store.byName('VM', 'down');
      expect(store.get('VM', down)).toMatchObject({ power_state: 'Halted', is_a_template: false });
    } finally {
      await lab.close();
    }
  });

  it.each([
    [
      'memoryGiB: 8',
      'memoryGB: 8',
      'line 12, pools[0].hosts[0].memoryGB: unknown; here one can say name, count, memoryGiB, cpus',
    ],
    ['cpus: 4', 'cpus: none', 'line 12, pools[0].hosts[0].cpus: '],
    ['seed: 4', 'sed: 4', 'line 3, sed: unknown; here one can say description, speed, latency'],
    [
      'sr: shared',
      'sr: fast',
      'line 19, pools[0].templates[0].sr: there is no SR fast; the pool has shared, local-p1-h1',
    ],
    ['template: tiny}', 'template: big}', 'pools[0].vms[1].template: there is no template big; the pool has tiny'],
    ["'p{n}'", 'p', 'line 9, pools: two pools have the id p; write {n} into an id that is repeated'],
    ["'{pool}-h{n}'", 'h', 'pools[0].hosts: two are named h'],
    ['at: mid', 'at: noon', 'line 7, faults[0]: at: '],
    ['kind: cut', 'kind: burn', 'line 7, faults[0]: kind: has to be one of refused, '],
    ['pools:', 'pools: [', 'at line'],
  ])('with %s instead of %s says where and what: %#', (search, replacement, words) => {
    const message = said(search, replacement);
    expect(message).toContain('The scenario mine.yaml cannot be used; no lab was started.');
    expect(message).toContain(words);
  });

  describe('on disk', () => {
    let folder: string;
    beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'scenario-'))));
    afterEach(() => rmSync(folder, { recursive: true }));

    it('is found by its path, a shipped one by its name', () => {
      const path = join(folder, 'mine.yaml');
      writeFileSync(path, small);
      expect(readScenario(path).description).toBe('Two small pools.');
      expect(readScenario('default').options.pools).toEqual([{ ...defaultPool(), vms: [] }]);
      expect(() => readScenario('nosuch')).toThrow(/nosuch cannot be read: there is no such file.*one of: .*default/);
    });
  });

  it.each(shippedScenarios())('that is shipped can be used: %s', (name) => {
    expect(readScenario(name).options.pools?.length).toBeGreaterThan(0);
  });

  it('of the large cloud has 2,000 hosts in 100 pools and 20,000 VMs', () => {
    const { pools = [] } = readScenario('large').options;
    const sum = (of: (pool: (typeof pools)[number]) => number) => pools.reduce((total, pool) => total + of(pool), 0);
    expect([pools.length, sum(({ hosts }) => hosts.length), sum(({ vms = [] }) => vms.length)]).toEqual([
      100, 2_000, 20_000,
    ]);
  });
});
