import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Lab } from '../../../lab/lab.ts';
import { startLab } from '../../../lab/lab.ts';
import { brokenInvariants } from '../invariants.ts';
import { RawClient, Refusal } from '../raw-client.ts';
import { gib, poolWith, vmOf } from './pool.ts';

const vmCount = 8;
const hostCount = 3;

/** As large as three hosts of 32 GiB can just hold. */
const pools = poolWith(
  Array.from({ length: vmCount }, (_, at) =>
    vmOf(`vm-${at}`, { host: `ams1-h${1 + (at % hostCount)}`, memoryBytes: (6 + 2 * (at % 4)) * gib }),
  ),
);

type Move =
  | { readonly kind: 'migrate'; readonly vm: number; readonly host: number }
  | { readonly kind: 'evacuate' | 'disable' | 'enable'; readonly host: number }
  | { readonly kind: 'stop' | 'start'; readonly vm: number }
  | { readonly kind: 'cancel' };

const [vm, host] = [fc.nat(vmCount - 1), fc.nat(hostCount - 1)];
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('migrate' as const), vm, host }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('evacuate' as const), host }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('disable' as const, 'enable' as const), host }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('stop' as const, 'start' as const), vm }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const) }) },
);
/** What is asked at the same time, one handful after the other. */
const handfuls = fc.array(fc.array(move, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 6 });

/** A call that may be refused for one of the official reasons. */
async function tried(client: RawClient, method: string, ...params: readonly unknown[]): Promise<void> {
  try {
    const { status, error_info: error } = await client.task(await client.call(`Async.${method}`, ...params));
    if (status === 'failure' && error[0] === 'INTERNAL_ERROR' && !error[1]?.includes('still resident'))
      throw new Error(`${method}: ${error.join(', ')}`);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}

function make(client: RawClient, lab: Lab, vms: readonly string[], one: Move): Promise<void> {
  const hosts = lab.world.store.refs('host');
  switch (one.kind) {
    case 'migrate':
      return tried(client, 'VM.pool_migrate', vms[one.vm], hosts[one.host], {});
    case 'stop':
      return tried(client, 'VM.hard_shutdown', vms[one.vm]);
    case 'start':
      return tried(client, 'VM.start', vms[one.vm], false, false);
    case 'cancel':
      return cancelOne(client);
    default:
      return tried(client, `host.${one.kind}`, hosts[one.host]);
  }
}

async function cancelOne(client: RawClient): Promise<void> {
  const [task] = await client.call<string[]>('task.get_all');
  if (task !== undefined) await client.call('task.cancel', task).catch(() => undefined);
}

/** What must hold at every moment, not only when nothing is being done. */
const atAnyMoment = (lab: Lab) => brokenInvariants(lab.world).filter((broken) => !broken.includes('still shows'));

describe('random migrations and evacuations, many at a time', () => {
  it('give away no memory twice, leave every VM on one host, and every link in both directions', async () => {
    await fc.assert(
      fc.asyncProperty(handfuls, async (all) => {
        const lab = await startLab({ pools, guestSshPort: 0, latenciesMs: { migrate: 30 }, speed: 1 });
        const broken = new Set<string>();
        try {
          const client = await RawClient.login(lab);
          const vms = Array.from({ length: vmCount }, (_, at) => lab.world.store.byName('VM', `vm-${at}`)[0] ?? '');
          for (const handful of all) {
            const done = Promise.all(handful.map((one) => make(client, lab, vms, one)));
            for (let at = 0; at < 5; at++) {
              await client.call('pool.get_all');
              for (const what of atAnyMoment(lab)) broken.add(what);
            }
            await done;
          }
          expect([...broken]).toEqual([]);
          expect(brokenInvariants(lab.world)).toEqual([]);
        } finally {
          await lab.close();
        }
      }),
      { numRuns: 25, seed: 20_261_127 },
    );
  }, 120_000);
});
