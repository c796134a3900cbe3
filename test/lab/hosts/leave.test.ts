import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Lab } from '../../../lab/lab.ts';
import { startLab } from '../../../lab/lab.ts';
import { defaultPool } from '../../../lab/scenario.ts';
import { brokenInvariants } from '../invariants.ts';
import { RawClient } from '../raw-client.ts';
import { byName, deploy, freshLab } from '../with-lab.ts';
import { alone } from './alone.ts';
import { answers, until } from './pool.ts';

const { lab, client } = freshLab();
let coordinator: string;
let member: string;

beforeEach(async () => {
  coordinator = await byName(client(), 'host', 'ams1-h1');
  member = await byName(client(), 'host', 'ams1-h2');
});

/** A client of the pool that an ejected host is when it has started again. */
async function ownPool(of: Lab, host: string): Promise<RawClient> {
  await until(
    () => Promise.resolve(of.host(host)),
    ({ power, toolstack }) => power === 'on' && toolstack === 'up',
  );
  return RawClient.login({ pools: of.pools.filter(({ id }) => id === host) });
}

describe('a host that is ejected', () => {
  it('is known to the pool no more, and its port closes at once', async () => {
    const address = await client().call('host.get_address', member);
    await client().call('pool.eject', member);
    expect(await answers(lab(), address)).toBe(false);
    expect(await client().refusal('host.get_record', member)).toEqual(['HANDLE_INVALID', 'host', member]);
    expect(lab().pools[0]?.hostAddresses).not.toContain(address);
    expect(brokenInvariants(lab().world)).toEqual([]);
    const records = await client().call<Record<string, { host: string }>>('PBD.get_all_records');
    expect(Object.values(records).map(({ host }) => host)).not.toContain(member);
  });

  it("comes back as a pool of its own with the same password, without the pool's storage", async () => {
    await client().call('pool.eject', member);
    const own = await ownPool(lab(), 'ams1-h2');
    const [pool = ''] = await own.call<string[]>('pool.get_all');
    expect(await own.call('pool.get_name_label', pool)).toBe('');
    expect(await own.call('host.get_name_label', await own.call('pool.get_master', pool))).toBe('ams1-h2');
    expect(await own.call('SR.get_all')).toEqual([]);
    expect(lab().pools.map(({ id }) => id)).toEqual(['ams1', 'ams1-h2']);
    expect(brokenInvariants(lab().worlds[1] ?? lab().world)).toEqual([]);
  });

  it('takes along a VLAN, which shares the measurements of its card', async () => {
    const network = await client().call('network.create', { name_label: 'v', name_description: '', other_config: {} });
    await client().call('PIF.create_VLAN', 'eth0', network, member, '42');
    await client().call('pool.eject', member);
    expect(await client().call('VLAN.get_all')).toEqual([]);
    expect(brokenInvariants(lab().world)).toEqual([]);
    expect(await (await ownPool(lab(), 'ams1-h2')).call('PIF.get_all')).not.toEqual([]);
  });

  it("is refused while it runs VMs, has the role of the coordinator, cannot be reached, or keeps HA's promises", async () => {
    const vm = await deploy(client(), 'web-1');
    await client().call('VM.start_on', vm, member, false, false);
    expect(await client().refusal('pool.eject', member)).toEqual(['OPERATION_NOT_ALLOWED', 'VM resident on host']);
    await client().call('VM.hard_shutdown', vm);
    expect((await client().refusal('pool.eject', coordinator))[1]).toContain('Cannot_eject_master');
    await client().call('pool.enable_ha', [await byName(client(), 'SR', 'shared')], {});
    expect(await client().refusal('pool.eject', member)).toEqual(['HA_IS_ENABLED']);
    await client().call('pool.disable_ha');
    await lab().host('ams1-h2').losePower();
    expect((await client().refusal('pool.eject', member))[0]).toBe('CANNOT_CONTACT_HOST');
  });
});

describe('the storage of an ejected host', () => {
  let two: Lab;
  afterEach(() => two.close());

  it('is empty, and the VMs that had disks on it have lost them', async () => {
    two = await startLab({ pools: [defaultPool(), alone()] });
    const [pool, lone] = await Promise.all(two.pools.map((one) => RawClient.login({ pools: [one] })));
    if (pool === undefined || lone === undefined) throw new Error('two pools were started');
    await lone.call('pool.join', two.pools[0]?.coordinatorAddress, 'root', 'lab-password');
    const host = await byName(pool, 'host', 'lone-h1');
    await until(
      () => pool.call<boolean>('host.get_enabled', host),
      (enabled) => enabled,
    );
    const vm = await byName(pool, 'VM', 'web');
    await pool.call('pool.eject', host);
    expect(await pool.call('VM.get_VBDs', vm)).toEqual([]);
    expect(await pool.call('SR.get_by_name_label', 'lone-disk')).toEqual([]);
    const own = await ownPool(two, 'lone-h1');
    const sr = await byName(own, 'SR', 'lone-disk');
    expect(await own.call('SR.get_physical_utilisation', sr)).toBe(0);
    expect(await own.call('SR.get_VDIs', sr)).toEqual([]);
    const [pbd = ''] = await own.call<string[]>('SR.get_PBDs', sr);
    expect(await own.call('PBD.get_currently_attached', pbd)).toBe(true);
  });
});

describe('a host that is destroyed', () => {
  it('is one that the pool hears no more of, and without VMs', async () => {
    expect(await client().refusal('host.destroy', coordinator)).toEqual(['HOST_IS_LIVE', coordinator]);
    expect(await client().refusal('host.destroy', member)).toEqual(['HOST_IS_LIVE', member]);
    const vm = await deploy(client(), 'web-1');
    await client().call('VM.start_on', vm, member, false, false);
    await lab().host('ams1-h2').losePower();
    const metrics = await client().call('host.get_metrics', member);
    await until(
      () => client().call<boolean>('host_metrics.get_live', metrics),
      (live) => !live,
    );
    expect(await client().refusal('host.destroy', member)).toEqual(['HOST_HAS_RESIDENT_VMS', member]);
    await client().call('VM.power_state_reset', vm);
    await client().call('host.destroy', member);
    expect(await client().call('host.get_all')).toHaveLength(2);
    expect(() => lab().host('ams1-h2')).toThrow('no host of this lab');
    expect(brokenInvariants(lab().world)).toEqual([]);
  });
});

describe('a lab with a state file', () => {
  it('knows after its restart which host belongs to which pool', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lab-'));
    const options = { pools: [defaultPool(), alone()], stateFile: join(folder, 'world.json') };
    const first = await startLab(options);
    const [pool, lone] = await Promise.all(first.pools.map((one) => RawClient.login({ pools: [one] })));
    if (pool === undefined || lone === undefined) throw new Error('two pools were started');
    await pool.call('pool.eject', await byName(pool, 'host', 'ams1-h3'));
    await ownPool(first, 'ams1-h3');
    await lone.call('pool.join', first.pools[0]?.coordinatorAddress, 'root', 'lab-password');
    const host = await byName(pool, 'host', 'lone-h1');
    await until(
      () => pool.call<boolean>('host.get_enabled', host),
      (enabled) => enabled,
    );
    const before = first.snapshot();
    const pools = first.pools;
    await first.close();
    const second = await startLab(options);
    expect(second.pools).toEqual(pools);
    expect(second.pools.map(({ id }) => id)).toEqual(['ams1', 'ams1-h3']);
    expect(second.diff(before)).toEqual([]);
    await second.close();
    await rm(folder, { recursive: true });
  });
});
