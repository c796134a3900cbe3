import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Lab } from '../../../lab/lab.ts';
import { startLab } from '../../../lab/lab.ts';
import type { PoolScenario } from '../../../lab/scenario.ts';
import { defaultPool } from '../../../lab/scenario.ts';
import { alone, haltedVm } from './alone.ts';
import { brokenInvariants } from '../invariants.ts';
import { RawClient, post } from '../raw-client.ts';
import { byName } from '../with-lab.ts';
import { until } from './pool.ts';

let lab: Lab;
let pool: RawClient;
let lone: RawClient;

async function start(more: Partial<PoolScenario> = {}): Promise<void> {
  lab = await startLab({ pools: [defaultPool(), alone('lone', more)] });
  [pool = pool, lone = lone] = await Promise.all(lab.pools.map((one) => RawClient.login({ pools: [one] })));
}

afterEach(() => lab.close());

const coordinator = () => lab.pools[0]?.coordinatorAddress ?? '';
const join = (method = 'pool.join'): Promise<unknown> => lone.call(method, coordinator(), 'root', 'lab-password');
const refusal = (method = 'pool.join') => lone.refusal(method, coordinator(), 'root', 'lab-password');

/** The reference that the joined host has in the pool, once it is enabled there. */
async function joined(): Promise<string> {
  await join();
  const host = await byName(pool, 'host', 'lone-h1');
  await until(
    () => pool.call<boolean>('host.get_enabled', host),
    (enabled) => enabled,
  );
  return host;
}

describe('a host that joins a pool', () => {
  beforeEach(() => start());

  it('is a live and enabled member of it, with its disks and VMs, and its own pool is no more', async () => {
    const uuid = await lone.call('VM.get_uuid', await byName(lone, 'VM', 'web'));
    const host = await joined();
    expect(lab.pools.map(({ id }) => id)).toEqual(['ams1']);
    expect(lab.pools[0]?.hostAddresses).toContain(await pool.call('host.get_address', host));
    expect(await pool.call('host_metrics.get_live', await pool.call('host.get_metrics', host))).toBe(true);
    const vm = await pool.call('VM.get_by_uuid', uuid);
    await pool.call('VM.start', vm, false, false);
    expect(await pool.call('VM.get_resident_on', vm)).toBe(host);
    expect(lab.worlds.flatMap((world) => (world.store.count('pool') > 0 ? brokenInvariants(world) : []))).toEqual([]);
  });

  it('has its interfaces in the networks that the pool has already', async () => {
    const host = await joined();
    const [pif = ''] = await pool.call<string[]>('host.get_PIFs', host);
    expect(await pool.call('PIF.get_network', pif)).toBe(await byName(pool, 'network', 'tenant'));
    expect(await pool.call('network.get_by_name_label', 'tenant')).toHaveLength(1);
  });

  it('tells whoever asks it who its coordinator is', async () => {
    const host = await joined();
    const url = `http://${await pool.call('host.get_address', host)}:${lab.pools[0]?.port}`;
    const body = { method: 'session.login_with_password', params: ['root', 'lab-password'], id: 1 };
    const { text } = await post(url, JSON.stringify(body));
    expect(JSON.parse(text)).toMatchObject({ error: ['HOST_IS_SLAVE', coordinator()] });
  });

  it('is known to the pool, and not live, before its toolstack has restarted', async () => {
    await join();
    const host = await byName(pool, 'host', 'lone-h1');
    expect(await pool.call('host_metrics.get_live', await pool.call('host.get_metrics', host))).toBe(false);
    expect(await lone.call('host.get_all')).toHaveLength(1);
  });
});

describe('a host that must not join a pool', () => {
  const cases: readonly [string, Partial<PoolScenario>, readonly string[]][] = [
    ['with running VMs', { vms: [{ ...haltedVm, host: 'lone-h1' }] }, ['JOINING_HOST_CANNOT_HAVE_RUNNING_VMS']],
    ['of another product', { product: 'xcp-ng-8.3' }, ['HOSTS_NOT_COMPATIBLE']],
  ];
  it.each(cases)('%s is refused and stays what it was', async (_why, scenario, error) => {
    await start(scenario);
    expect(await refusal()).toEqual(error);
    expect(await byName(lone, 'host', 'lone-h1')).toMatch(/^OpaqueRef:/);
    expect(await pool.call('host.get_all')).toHaveLength(3);
  });

  it('is refused while it has shared storage', async () => {
    await start();
    await lone.call('SR.set_shared', await byName(lone, 'SR', 'lone-disk'), true);
    expect(await refusal()).toEqual(['JOINING_HOST_CANNOT_CONTAIN_SHARED_SRS']);
  });

  it('is refused while one of its VMs is being worked on', async () => {
    await start();
    const world = lab.worlds[1];
    const vm = await byName(lone, 'VM', 'web');
    world?.store.update('VM', vm, { current_operations: { 'OpaqueRef:1': 'copy' } });
    expect(await refusal()).toEqual(['JOINING_HOST_CANNOT_HAVE_VMS_WITH_CURRENT_OPERATIONS']);
  });

  it('is refused with bonds, with VLANs that are not for management, and with other CPUs unless it is forced', async () => {
    await start();
    const { store } = lab.worlds[1] ?? lab.world;
    const host = await byName(lone, 'host', 'lone-h1');
    const cpus = store.get('host', host).cpu_info;
    store.update('host', host, { cpu_info: { ...cpus, vendor: 'AuthenticAMD' } });
    expect(await refusal()).toEqual(['HOSTS_NOT_HOMOGENEOUS', 'CPUs differ']);
    const bond = store.create('Bond', {});
    expect(await refusal('pool.join_force')).toEqual(['POOL_JOINING_HOST_HAS_BONDS']);
    store.destroy('Bond', bond);
    const network = await lone.call('network.create', { name_label: 'vlan', other_config: {} });
    const [pif = ''] = await lone.call<string[]>('host.get_PIFs', host);
    const vlan = await lone.call('VLAN.create', pif, '7', network);
    expect(await refusal('pool.join_force')).toEqual(['POOL_JOINING_HOST_HAS_NON_MANAGEMENT_VLANS']);
    await lone.call('VLAN.destroy', vlan);
    expect(await join('pool.join_force')).toBe('');
  });

  it('is refused while it differs in what all hosts of a pool have in common', async () => {
    await start();
    const { store, pool: own } = lab.worlds[1] ?? lab.world;
    const host = await byName(lone, 'host', 'lone-h1');
    const { edition, software_version: software } = store.get('host', host);
    store.update('host', host, { external_auth_type: 'AD' });
    expect(await refusal()).toEqual(['POOL_JOINING_EXTERNAL_AUTH_MISMATCH']);
    store.update('host', host, { external_auth_type: '', edition: 'free' });
    expect(await refusal('pool.join_force')).toEqual([
      'LICENSE_HOST_POOL_MISMATCH',
      'host edition = "free"',
      `pool edition = "${edition}"`,
    ]);
    const controller = store.create('SDN_controller', { address: '192.0.2.9' });
    store.update('host', host, { edition });
    expect(await refusal()).toEqual(['OPERATION_NOT_ALLOWED', 'SDN controller differs']);
    store.destroy('SDN_controller', controller);
    store.update('host', host, { software_version: { ...software, db_schema: '5.1' } });
    expect(await refusal()).toEqual(['POOL_JOINING_HOST_MUST_HAVE_SAME_DB_SCHEMA', '5.1', software['db_schema'] ?? '']);
    store.update('host', host, { software_version: software });
    store.update('pool', own.ref, { tls_verification_enabled: true });
    expect(await refusal()).toEqual(['POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH']);
    const member = store.create('Cluster_host', { host });
    expect(await refusal()).toEqual(['CLUSTERING_ENABLED', member]);
  });

  it('is refused if it is a member already, or coordinates others', async () => {
    await start();
    const again = () => pool.refusal('pool.join', coordinator(), 'root', 'lab-password');
    expect(await again()).toEqual(['OPERATION_NOT_ALLOWED', 'Host is already part of a pool']);
    const [, other] = lab.pools;
    expect(await pool.refusal('pool.join', other?.coordinatorAddress, 'root', 'other-password')).toEqual([
      'JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS',
    ]);
    expect(await lone.refusal('pool.join', other?.coordinatorAddress, 'root', 'other-password')).toEqual([
      'OPERATION_NOT_ALLOWED',
      'Host cannot become slave of itself',
    ]);
  });

  it('is refused while either pool has high availability', async () => {
    await start();
    await pool.call('pool.enable_ha', [await byName(pool, 'SR', 'shared')], {});
    expect(await refusal()).toEqual(['HA_IS_ENABLED']);
  });

  it('is told what a login at the address is told', async () => {
    await start();
    const member = lab.pools[0]?.hostAddresses[1];
    const at = (address: string | undefined, password: string) => lone.refusal('pool.join', address, 'root', password);
    expect(await at('192.0.2.1', 'lab-password')).toEqual(['JOINING_HOST_CONNECTION_FAILED']);
    expect(await at(member, 'lab-password')).toEqual(['HOST_IS_SLAVE', coordinator()]);
    expect(await at(coordinator(), 'wrong')).toEqual([
      'SESSION_AUTHENTICATION_FAILED',
      'root',
      'Authentication failure',
    ]);
  });

  it('has to have the updates that the coordinator has', async () => {
    lab = await startLab({
      pools: [{ ...defaultPool(), product: 'xenserver-8.2' }, alone('lone', { product: 'xenserver-8.2' })],
    });
    lone = await RawClient.login({ pools: lab.pools.slice(1) });
    const { store, pool: own } = lab.worlds[1] ?? lab.world;
    const update = store.create('pool_update', { enforce_homogeneity: true });
    store.update('host', own.master, { updates: [update] });
    expect(await refusal()).toEqual([
      'HOSTS_NOT_HOMOGENEOUS',
      'Updates on local host lone-h1 and pool host ams1-h1 differ',
    ]);
  });
});
