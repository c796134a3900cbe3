import { describe, expect, it } from '@jest/globals';
import { byName, freshLab } from '../with-lab.ts';
import { answers, hostRecord, isLive, untilBack } from './pool.ts';

const { lab, client } = freshLab({ latencies: 'reference', speed: 1 });

describe('the reboot of a host in real time', () => {
  it('is answered before the host goes down, which the pool knows at once', async () => {
    const host = await byName(client(), 'host', 'ams1-h2');
    await client().call('host.disable', host);
    const { address } = await hostRecord(client(), host);
    expect(await client().call('host.reboot', host)).toBe('');
    expect(await answers(lab(), address)).toBe(true);
    expect(await isLive(client(), host)).toBe(false);
    const { current_operations: current, allowed_operations: allowed } = await hostRecord(client(), host);
    expect(Object.values(current)).toEqual(['reboot']);
    expect(allowed).not.toContain('provision');
    expect(await client().refusal('host.enable', host)).toEqual(['HOST_OFFLINE', host]);
  });

  it('goes on faster from the moment when time does', async () => {
    const host = await byName(client(), 'host', 'ams1-h2');
    const before = await hostRecord(client(), host);
    await client().call('host.disable', host);
    await client().call('host.reboot', host);
    lab().setSpeed(2_000);
    expect(lab().speed).toBe(2_000);
    await untilBack(client(), host, before);
  });

  it('takes no speed that is none', () => {
    expect(() => lab().setSpeed(0)).toThrow('the speed is 0; it has to be above 0');
  });
});
