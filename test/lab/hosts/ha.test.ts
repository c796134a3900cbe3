import { beforeEach, describe, expect, it } from '@jest/globals';
import { startLab } from '../../../lab/lab.ts';
import { defaultPool } from '../../../lab/scenario.ts';
import { RawClient } from '../raw-client.ts';
import { byName, deploy, freshLab } from '../with-lab.ts';
import { isLive, loginAgain, until } from './pool.ts';

interface PoolRecord {
  readonly master: string;
  readonly ha_enabled: boolean;
  readonly ha_statefiles: readonly string[];
  readonly ha_configuration: Readonly<Record<string, string>>;
  readonly ha_plan_exists_for: number;
  readonly ha_overcommitted: boolean;
}

const gib = 2 ** 30;
const { lab, client } = freshLab();
let pool: string;
let shared: string;
let hosts: readonly string[];

beforeEach(async () => {
  pool = (await client().call<string[]>('pool.get_all'))[0] ?? '';
  shared = await byName(client(), 'SR', 'shared');
  hosts = await Promise.all(['ams1-h1', 'ams1-h2', 'ams1-h3'].map((name) => byName(client(), 'host', name)));
});

const poolRecord = (by: RawClient) => by.call<PoolRecord>('pool.get_record', pool);
const hostAt = (index: number) => hosts[index] ?? '';

async function enableHa(failures: number): Promise<void> {
  await client().call('pool.enable_ha', [shared], { timeout: '60' });
  await client().call('pool.set_ha_host_failures_to_tolerate', pool, failures);
}

/** A VM that runs on the host with so much memory and that priority. */
async function running(name: string, host: number, memoryGib: number, priority = ''): Promise<string> {
  const vm = await deploy(client(), name);
  await client().call('VM.set_memory', vm, memoryGib * gib);
  await client().call('VM.start_on', vm, hostAt(host), false, false);
  await client().call('VM.set_ha_restart_priority', vm, priority);
  return vm;
}

const powerState = (by: RawClient, vm: string) => by.call('VM.get_power_state', vm);

describe('enabling high availability', () => {
  it('shows on the pool and on every host, and is undone by disabling it', async () => {
    await enableHa(1);
    const on = await poolRecord(client());
    expect(on).toMatchObject({ ha_enabled: true, ha_configuration: { timeout: '60' }, ha_plan_exists_for: 1 });
    const [statefile] = on.ha_statefiles;
    expect(await client().call('VDI.get_SR', statefile)).toBe(shared);
    expect(await client().call('host.get_ha_statefiles', hostAt(2))).toEqual([statefile]);
    expect(await client().call<string[]>('host.get_ha_network_peers', hostAt(2))).toHaveLength(3);
    expect(await client().refusal('pool.enable_ha', [shared], {})).toEqual(['HA_IS_ENABLED']);
    expect(await client().refusal('pool.designate_new_master', hostAt(1))).toEqual(['HA_IS_ENABLED']);
    await client().call('pool.disable_ha');
    expect(await poolRecord(client())).toMatchObject({ ha_enabled: false, ha_statefiles: [], ha_plan_exists_for: 0 });
    expect(await client().call('host.get_ha_statefiles', hostAt(2))).toEqual([]);
    expect(await client().refusal('pool.disable_ha')).toEqual(['HA_NOT_ENABLED']);
  });

  it('takes a shared SR by itself when none is named', async () => {
    await client().call('pool.enable_ha', [], {});
    const [statefile] = (await poolRecord(client())).ha_statefiles;
    expect(await client().call('VDI.get_SR', statefile)).toBe(shared);
  });

  it('refuses an SR that is not shared, a host that is down, and a pool of one host', async () => {
    const local = await byName(client(), 'SR', 'local-h1');
    expect(await client().refusal('pool.enable_ha', [local], {})).toEqual([
      'HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED',
      local,
    ]);
    await lab().host('ams1-h3').losePower();
    await until(
      () => isLive(client(), hostAt(2)),
      (live) => !live,
    );
    expect(await client().refusal('pool.enable_ha', [shared], {})).toEqual(['HOST_OFFLINE', hostAt(2)]);
    const full = defaultPool('solo');
    const names = full.hosts.slice(0, 1).map(({ name }) => name);
    const solo = await startLab({
      pools: [
        {
          ...full,
          hosts: full.hosts.slice(0, 1),
          srs: full.srs.map((sr) => ({ ...sr, hosts: names })),
          networks: full.networks.map((network) => ({ ...network, hosts: names })),
        },
      ],
    });
    try {
      expect(await (await RawClient.login(solo)).refusal('pool.enable_ha', [], {})).toEqual(['HA_TOO_FEW_HOSTS']);
    } finally {
      await solo.close();
    }
  });
});

describe('the failover plan', () => {
  it('covers as many host failures as the others have room for', async () => {
    const big = await running('big', 1, 20, 'restart');
    const second = await running('second', 2, 20, 'restart');
    expect(await client().call('pool.ha_compute_max_host_failures_to_tolerate')).toBe(1);
    expect(await client().call('pool.ha_failover_plan_exists', 2)).toBe(false);
    const hypothetical = 'pool.ha_compute_hypothetical_max_host_failures_to_tolerate';
    expect(await client().call(hypothetical, { [big]: 'restart', [second]: 'best-effort' })).toBe(1);
    expect(await client().call(hypothetical, { [big]: 'best-effort' })).toBe(2);
    expect(await client().call('pool.ha_compute_vm_failover_plan', [hostAt(1)], [big])).toEqual({
      [big]: { host: hostAt(0) },
    });
    expect(await client().call('pool.ha_compute_vm_failover_plan', hosts, [big])).toEqual({
      [big]: { error_code: 'HA_NO_PLAN' },
    });
  });

  it('is not given up for a host that is disabled, a VM that starts or more failures', async () => {
    await enableHa(1);
    await running('big', 1, 20, 'restart');
    await running('second', 2, 20, 'restart');
    const refusal = ['HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN'];
    expect(await client().refusal('host.disable', hostAt(0))).toEqual(refusal);
    expect(await client().refusal('pool.set_ha_host_failures_to_tolerate', pool, 2)).toEqual(refusal);
    const third = await deploy(client(), 'third');
    await client().call('VM.set_memory', third, 20 * gib);
    expect(await client().refusal('VM.start', third, false, false)).toEqual(refusal);
    await client().call('VM.set_ha_restart_priority', third, 'restart');
    expect(await client().refusal('VM.start', third, false, false)).toEqual(refusal);
    await client().call('pool.set_ha_allow_overcommit', pool, true);
    await client().call('VM.start', third, false, false);
    expect(await poolRecord(client())).toMatchObject({ ha_overcommitted: true, ha_plan_exists_for: 0 });
  });

  it('protects no VM that is tied to a host, and knows three priorities', async () => {
    await enableHa(1);
    const vm = await deploy(client(), 'tied');
    const SR = await byName(client(), 'SR', 'local-h1');
    const kept = { type: 'user', sharable: false, read_only: false, other_config: {} };
    const disk = await client().call('VDI.create', { SR, name_label: 'local', virtual_size: gib, ...kept });
    const drive = { userdevice: '5', bootable: false, mode: 'RW', type: 'Disk', empty: false, other_config: {} };
    const limits = { qos_algorithm_type: '', qos_algorithm_params: {} };
    await client().call('VBD.create', { VM: vm, VDI: disk, ...drive, ...limits });
    await client().call('VM.start', vm, false, false);
    expect((await client().refusal('VM.set_ha_restart_priority', vm, 'restart'))[0]).toBe(
      'HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED',
    );
    expect(await client().refusal('VM.set_ha_restart_priority', vm, 'often')).toEqual([
      'INVALID_VALUE',
      'ha_restart_priority',
      'often',
    ]);
    expect(await client().refusal('VM.set_order', vm, -1)).toEqual(['INVALID_VALUE', 'order', '-1']);
  });
});

describe('a host that dies', () => {
  it('leaves its protected VMs to the other hosts in their order, then those of best effort; the rest is halted', async () => {
    await enableHa(1);
    const [late, early] = [await running('late', 1, 2, 'restart'), await running('early', 1, 2, 'restart')];
    const [modest, plain] = [await running('modest', 1, 2, 'best-effort'), await running('plain', 1, 2)];
    await client().call('VM.set_order', late, 1);
    const { token } = await client().call<{ token: string }>('event.from', ['message'], '', 0.01);
    await lab().host('ams1-h2').losePower();
    await until(
      () => powerState(client(), plain),
      (state) => state === 'Halted',
    );
    const uuids = await Promise.all([early, late, modest].map((vm) => client().call('VM.get_uuid', vm)));
    const started = await until(
      async () => {
        const { events } = await client().call<{ events: { snapshot: { name: string; obj_uuid: string } }[] }>(
          'event.from',
          ['message'],
          token,
          0.01,
        );
        return events.map(({ snapshot }) => snapshot).filter(({ name }) => name === 'VM_STARTED');
      },
      (messages) => messages.length === 3,
    );
    expect(started.map(({ obj_uuid: uuid }) => uuid)).toEqual(uuids);
    for (const vm of [late, early, modest]) {
      expect(await powerState(client(), vm)).toBe('Running');
      expect(await client().call('VM.get_resident_on', vm)).not.toBe(hostAt(1));
    }
    expect(await powerState(client(), plain)).toBe('Halted');
    expect(await isLive(client(), hostAt(1))).toBe(false);
  });

  it('restarts no VM that was shut down on purpose, and none while restarts are held back', async () => {
    await enableHa(1);
    const [kept, stopped] = [await running('kept', 1, 2, 'restart'), await running('stopped', 1, 2, 'restart')];
    await client().call('VM.hard_shutdown', stopped);
    await client().call('pool.ha_prevent_restarts_for', 3600);
    await lab().host('ams1-h2').losePower();
    await until(
      () => powerState(client(), kept),
      (state) => state === 'Halted',
    );
    await client().call('pool.ha_prevent_restarts_for', 0);
    await until(
      () => powerState(client(), kept),
      (state) => state === 'Running',
    );
    expect(await powerState(client(), stopped)).toBe('Halted');
  });

  it('is followed by a new coordinator where it was the coordinator, and returns as a member', async () => {
    await enableHa(1);
    const vm = await running('web', 0, 2, 'restart');
    const before = lab().pools[0]?.url ?? '';
    await lab().host('ams1-h1').losePower();
    await until(
      () => Promise.resolve(lab().pools[0]?.url),
      (url) => url !== before,
    );
    const again = await loginAgain(lab());
    expect((await poolRecord(again)).master).toBe(hostAt(1));
    await until(
      () => powerState(again, vm),
      (state) => state === 'Running',
    );
    expect(await again.call('VM.get_resident_on', vm)).not.toBe(hostAt(0));
    const address = await again.call('host.get_address', hostAt(1));
    const third = `http://${lab().pools[0]?.hostAddresses[2]}:${lab().pools[0]?.port}`;
    const answer = await fetch(`${third}/jsonrpc`, {
      method: 'POST',
      body: JSON.stringify({ method: 'session.login_with_password', params: ['root', 'x'], id: 1 }),
    });
    expect(await answer.json()).toMatchObject({ error: ['HOST_IS_SLAVE', address] });
    lab().host('ams1-h1').powerOn();
    await until(
      () => isLive(again, hostAt(0)),
      (live) => live,
    );
    expect((await poolRecord(again)).master).toBe(hostAt(1));
  });
});
