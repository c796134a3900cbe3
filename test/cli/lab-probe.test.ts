import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { describeNamespaces } from '../lab/netns/namespaces.ts';
import { eventually } from '../support/eventually.ts';
import { Rehearsal } from './support/rehearsal.ts';

const SCENARIO = `description: One pool whose guests exchange packets.
guests: namespaces
pools:
  - id: ams1
    hosts:
      - { name: ams1-h1, memoryGiB: 8, cpus: 4 }
    srs:
      - { name: shared, sizeGiB: 10 }
    networks:
      - { name: tenant, isolated: true }
`;

describeNamespaces('switchboard lab probe', () => {
  const rehearsal = new Rehearsal();
  const run = (...args: string[]) => rehearsal.run('lab', 'probe', ...args);

  it('starts a run, tells what it sees, ends it, and says what the lab does not understand', async () => {
    const file = join(rehearsal.folder, 'probes.yaml');
    writeFileSync(file, SCENARIO);
    await rehearsal.up('--scenario', file);
    expect((await run('list')).stderr).toContain('There is no probe run.');

    const from = ['--pool', 'ams1', '--per-second', '100', '--network', 'tenant', '--address', '10.10.0.50/24'];
    const to = ['--to-network', 'tenant', '--to-address', '10.10.0.60/24'];
    expect(await run('start', '--protocol', 'udp', ...from)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('need a far end'),
    });
    expect(await run('start', '--protocol', 'udp', ...from, ...to)).toMatchObject({ code: 0, stdout: 'probe-1\n' });
    expect((await run('list')).stdout).toMatch(/^probe-1 +running +udp 100\/s to 10\.10\.0\.60 +forward /m);
    expect(await run('stop', 'probe-1')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^probe-1 +ended +udp 100\/s to 10\.10\.0\.60 +forward +\d+ +0 +[\d.]+ ms/m),
    });

    const nobody = ['--seconds', '0.2', '--target', '10.10.0.99'];
    await run('start', '--protocol', 'icmp', ...from, ...nobody);
    await eventually(
      () => run('report', 'probe-2', '--json'),
      ({ stdout }) => stdout.includes('"state":"ended"'),
      'the run has ended by itself',
    );
    expect((await run('report', 'probe-2')).stdout).toMatch(/^round-trip: 20 lost from 0 ms to /m);
    expect((await run('remove')).stderr).toBe('Removed: probe-1, probe-2.\n');
    expect((await run('report', 'probe-1')).code).toBe(2);
  }, 120_000);
});
