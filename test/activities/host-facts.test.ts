import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RecentHostFacts } from '../../activities/support/host-facts.ts';
import { startLab, type Lab } from '../../lab/lab.ts';
import { OpenPools, settingsOf } from '../adapters/xapi/support.ts';

describe('the facts of hosts as of the last moment', () => {
  const pools = new OpenPools();
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab();
  });

  afterAll(async () => {
    await pools.close();
    await lab.close();
  });

  const readings = () => lab.calls({ method: 'SR.get_all_records' }).length;

  it('are read once for all who ask at the same time', async () => {
    const facts = new RecentHostFacts();
    const xapi = pools.of(settingsOf(lab));
    const [one, other] = await Promise.all([facts.read(xapi), facts.read(xapi)]);
    expect(other).toBe(one);
    expect(readings()).toBe(1);
  });

  it('are read again after a reading that failed', async () => {
    const facts = new RecentHostFacts();
    const xapi = pools.of(settingsOf(lab));
    lab.plan({ method: 'SR.get_all_records', kind: 'refused', error: ['INTERNAL_ERROR', 'planted'] });
    await expect(facts.read(xapi)).rejects.toThrow();
    expect((await facts.read(xapi)).length).toBeGreaterThan(0);
  });
});
