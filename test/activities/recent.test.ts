import { describe, expect, it } from '@jest/globals';
import { Recent } from '../../activities/support/recent.ts';
import { openPool } from '../adapters/xapi/support.ts';

const { lab, xapi } = await openPool();

describe('what was read of a pool in the last moment', () => {
  const readings = () => lab.calls({ method: 'SR.get_all_records' }).length;
  const ask = () => xapi.call('SR.get_all_records');

  it('is read once for all who ask at the same time', async () => {
    const recent = new Recent();
    const before = readings();
    const [one, other] = await Promise.all([recent.read(xapi, 'SRs', ask), recent.read(xapi, 'SRs', ask)]);
    expect(other).toBe(one);
    expect(readings()).toBe(before + 1);
  });

  it('is read again after a reading that failed', async () => {
    const recent = new Recent();
    lab.plan({ method: 'SR.get_all_records', kind: 'refused', error: ['INTERNAL_ERROR', 'planted'] });
    await expect(recent.read(xapi, 'SRs', ask)).rejects.toThrow();
    expect(Object.keys(await recent.read(xapi, 'SRs', ask)).length).toBeGreaterThan(0);
  });

  it('is another thing under another name, and in another pool', async () => {
    const recent = new Recent();
    const before = readings();
    await recent.read(xapi, 'SRs', ask);
    await recent.read(xapi, 'disks', ask);
    await recent.read({ poolId: 'elsewhere' }, 'SRs', ask);
    expect(readings()).toBe(before + 3);
  });

  it('serves nobody later than two seconds after it was asked for', async () => {
    const recent = new Recent();
    const first = await recent.read(xapi, 'SRs', ask);
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    expect(await recent.read(xapi, 'SRs', ask)).not.toBe(first);
  });
});
