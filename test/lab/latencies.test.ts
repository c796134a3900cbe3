import { describe, expect, it } from '@jest/globals';
import { byName, sharedLab } from './with-lab.ts';

const { lab, client } = sharedLab({ latenciesMs: { clone: 400 }, speed: 2 });

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begunMs = performance.now();
  await work();
  return performance.now() - begunMs;
}

const clone = async () => client().call('VM.clone', await byName(client(), 'VM', 'debian-12'), 'web-1');

describe('a kind of work that has a length of its own', () => {
  it('takes it, divided by the speed, in a lab where nothing else takes time', async () => {
    expect(await timed(clone)).toBeGreaterThan(195);
    lab().setSpeed(20);
    expect(await timed(clone)).toBeLessThan(195);
    expect(await timed(() => client().call('VM.get_all'))).toBeLessThan(195);
  });
});
