import { describe, expect, it } from '@jest/globals';
import { RecentHostFacts } from '../../activities/support/host-facts.ts';
import { openPool } from '../adapters/xapi/support.ts';

const { lab, xapi } = await openPool();

describe('the facts of hosts as of the last moment', () => {
  const readings = () => lab.calls({ method: 'SR.get_all_records' }).length;

  it('are read once for all who ask at the same time', async () => {
    const facts = new RecentHostFacts();
    const [one, other] = await Promise.all([facts.read(xapi), facts.read(xapi)]);
    expect(other).toBe(one);
    expect(readings()).toBe(1);
  });

  it('are read again after a reading that failed', async () => {
    const facts = new RecentHostFacts();
    lab.plan({ method: 'SR.get_all_records', kind: 'refused', error: ['INTERNAL_ERROR', 'planted'] });
    await expect(facts.read(xapi)).rejects.toThrow();
    expect((await facts.read(xapi)).length).toBeGreaterThan(0);
  });
});
