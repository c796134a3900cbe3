import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Lab } from '../../../lab/lab.ts';
import { startLab } from '../../../lab/lab.ts';
import { defaultPool } from '../../../lab/scenario.ts';
import type { World } from '../../../lab/world/world.ts';
import { brokenInvariants } from '../invariants.ts';
import { RawClient, Refusal } from '../raw-client.ts';
import { gib, poolWith, vmOf } from './pool.ts';

const vmCount = 8;
const hostCount = 3;

/** As large as three hosts of 32 GiB can just hold; beside them a pool of the same size that is empty. */
const pools = [
  ...poolWith(
    Array.from({ length: vmCount }, (_, at) =>
      vmOf(`vm-${at}`, { host: `ams1-h${1 + (at % hostCount)}`, memoryBytes: (6 + 2 * (at % 4)) * gib }),
    ),
  ),
  defaultPool('fra1'),
];

type Move =
  | { readonly kind: 'migrate' | 'cross'; readonly vm: number; readonly host: number }
  | { readonly kind: 'evacuate' | 'disable' | 'enable'; readonly host: number }
  | { readonly kind: 'stop'; readonly vm: number }
  | { readonly kind: 'start'; readonly vm: number }
  | { readonly kind: 'cancel' };

const [vm, host] = [fc.nat(vmCount - 1), fc.nat(hostCount - 1)];
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('migrate' as const), vm, host }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('cross' as const), vm, host }) },
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

/** A pool, as somebody sees it who is logged in there. */
interface Side {
  readonly world: World;
  readonly client: RawClient;
}

/** The pool that the VM is in, the other one, and its reference; it is in both of them while it moves. */
function whereIs([one, two]: readonly [Side, Side], name: string): { here: Side; there: Side; ref: string } {
  const [here, there] = one.world.store.byName('VM', name).length > 0 ? [one, two] : [two, one];
  return { here, there, ref: here.world.store.byName('VM', name)[0] ?? '' };
}

/** Every disk to the shared storage over there, every interface to the network of the tenants. */
async function crossOver(sides: readonly [Side, Side], name: string, host: number): Promise<void> {
  const { here, there, ref } = whereIs(sides, name);
  const { store } = here.world;
  const [sr, network] = [there.world.store.byName('SR', 'shared')[0], there.world.store.byName('network', 'tenant')[0]];
  const target = there.world.store.refs('host')[host];
  const dest = await there.client.call('host.migrate_receive', target, network, {});
  const { VBDs: vbds, VIFs: vifs } = store.find('VM', ref) ?? { VBDs: [], VIFs: [] };
  const srs = Object.fromEntries(vbds.map((vbd) => [store.get('VBD', vbd).VDI, sr]));
  const networks = Object.fromEntries(vifs.map((vif) => [vif, network]));
  await tried(here.client, 'VM.migrate_send', ref, dest, true, srs, networks, {});
}

function make(sides: readonly [Side, Side], one: Move): Promise<void> {
  if ('vm' in one) {
    const name = `vm-${one.vm}`;
    const { here, ref } = whereIs(sides, name);
    if (one.kind === 'stop') return tried(here.client, 'VM.hard_shutdown', ref);
    if (one.kind === 'start') return tried(here.client, 'VM.start', ref, false, false);
    if (one.kind === 'cross') return crossOver(sides, name, one.host);
    return tried(here.client, 'VM.pool_migrate', ref, here.world.store.refs('host')[one.host], {});
  }
  const [{ client, world }] = sides;
  if (one.kind === 'cancel') return cancelOne(client);
  return tried(client, `host.${one.kind}`, world.store.refs('host')[one.host]);
}

async function cancelOne(client: RawClient): Promise<void> {
  const [task] = await client.call<string[]>('task.get_all');
  if (task !== undefined) await client.call('task.cancel', task).catch(() => undefined);
}

/** Each VM is in one pool when nothing is being done, and runs in one at any moment. */
function* twins(sides: readonly Side[], isQuiet: boolean): Generator<string> {
  for (let at = 0; at < vmCount; at++) {
    const found = sides.flatMap(({ world }) =>
      world.store.byName('VM', `vm-${at}`).map((ref) => world.store.get('VM', ref)),
    );
    const running = found.filter(({ power_state: state }) => state === 'Running').length;
    if (running > 1) yield `vm-${at} runs in ${running} pools`;
    if (isQuiet && found.length !== 1) yield `vm-${at} is in ${found.length} pools`;
  }
}

/** Every disk is accounted for, and no other. */
function* storage({ store }: World): Generator<string> {
  for (const [, { name_label: name, VDIs: vdis, virtual_allocation: allocated }] of store.records('SR')) {
    const bytes = vdis.reduce((sum, vdi) => sum + store.get('VDI', vdi).virtual_size, 0);
    if (bytes !== allocated) yield `SR ${name} has disks of ${bytes} bytes and says ${allocated}`;
  }
}

/** What must hold at every moment, not only when nothing is being done. */
const atAnyMoment = (sides: readonly Side[]) => [
  ...sides.flatMap(({ world }) => brokenInvariants(world)).filter((broken) => !broken.includes('still shows')),
  ...twins(sides, false),
];
const inTheEnd = (sides: readonly Side[]) => [
  ...sides.flatMap(({ world }) => [...brokenInvariants(world), ...storage(world)]),
  ...twins(sides, true),
];

async function sidesOf(lab: Lab): Promise<readonly [Side, Side]> {
  const [one, two] = await Promise.all(
    lab.worlds.map(async (world, at) => ({ world, client: await RawClient.login({ pools: lab.pools.slice(at) }) })),
  );
  if (one === undefined || two === undefined) throw new Error('there are not two pools');
  return [one, two];
}

describe('random migrations and evacuations, many at a time, in a pool and between two', () => {
  it('give away no memory twice, leave every VM on one host of one pool, and every link in both directions', async () => {
    await fc.assert(
      fc.asyncProperty(handfuls, async (all) => {
        const lab = await startLab({ pools, guestSshPort: 0, latenciesMs: { migrate: 30 }, speed: 1 });
        const broken = new Set<string>();
        try {
          const sides = await sidesOf(lab);
          for (const handful of all) {
            const done = Promise.all(handful.map((one) => make(sides, one)));
            for (let at = 0; at < 5; at++) {
              await sides[0].client.call('pool.get_all');
              for (const what of atAnyMoment(sides)) broken.add(what);
            }
            await done;
          }
          expect([...broken]).toEqual([]);
          expect(inTheEnd(sides)).toEqual([]);
        } finally {
          await lab.close();
        }
      }),
      { numRuns: 25, seed: 20_261_127 },
    );
  }, 120_000);
});
