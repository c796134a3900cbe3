import { beforeEach, describe, expect, it } from '@jest/globals';
import { post } from '../raw-client.ts';
import { byName, deploy, freshLab } from '../with-lab.ts';
import { isLive, loginAgain, until } from './pool.ts';

const { lab, client } = freshLab();
let shared: string;
let coordinator: string;
let member: string;

beforeEach(async () => {
  shared = await byName(client(), 'SR', 'shared');
  coordinator = await byName(client(), 'host', 'ams1-h1');
  member = await byName(client(), 'host', 'ams1-h2');
});

const enableHa = () => client().call('pool.enable_ha', [shared], {});
const statefileLost = (forMs?: number) =>
  lab().plan({ kind: 'statefile-lost', method: 'pool.get_all', ...(forMs === undefined ? {} : { forMs }) });

/** A call at a member, with a session of the member's own. */
async function onMember(method: string, ...params: readonly unknown[]): Promise<unknown> {
  const url = `http://${lab().pools[0]?.hostAddresses[1]}:${lab().pools[0]?.port}`;
  const ask = async (name: string, all: readonly unknown[]) => {
    const { text } = await post(url, JSON.stringify({ method: name, params: all, id: 1 }));
    const { result, error } = JSON.parse(text) as { result?: unknown; error?: unknown };
    return error ?? result;
  };
  const session = await ask('session.slave_local_login_with_password', ['root', 'lab-password']);
  return ask(method, [session, ...params]);
}

/** The member's toolstack has started while the coordinator was away. */
async function memberInEmergency(): Promise<void> {
  await until(
    () => Promise.resolve(lab().host('ams1-h2').toolstack),
    (state) => state === 'emergency',
  );
}

describe('while high availability is enabled', () => {
  it('its own storage and disks stay as they are', async () => {
    await enableHa();
    const [pbd = ''] = await client().call<string[]>('SR.get_PBDs', shared);
    expect(await client().refusal('PBD.unplug', pbd)).toEqual(['HA_IS_ENABLED']);
    const [pool = ''] = await client().call<string[]>('pool.get_all');
    const [statefile] = await client().call<string[]>('pool.get_ha_statefiles', pool);
    expect(await client().refusal('VDI.destroy', statefile)).toEqual(['HA_IS_ENABLED']);
    expect(await client().refusal('VDI.forget', statefile)).toEqual(['HA_IS_ENABLED']);
    await client().call('pool.disable_ha');
    await client().call('VDI.destroy', statefile);
  });

  it('storage that a protected VM needs is not unplugged, unless overcommitment is allowed', async () => {
    const vm = await deploy(client(), 'web-1');
    await client().call('VM.set_ha_restart_priority', vm, 'restart');
    await client().call('VM.start', vm, false, false);
    const about = ['other', '', 'nfs', 'user', true, {}] as const;
    const other = await client().call('SR.create', coordinator, {}, 2 ** 40, ...about);
    await client().call('pool.enable_ha', [other], {});
    const [pool = ''] = await client().call<string[]>('pool.get_all');
    const home = await client().call('VM.get_resident_on', vm);
    const pbds = await client().call<Record<string, { SR: string; host: string }>>('PBD.get_all_records');
    const [pbd] = Object.entries(pbds).find(([, { SR, host }]) => SR === shared && host !== home) ?? [];
    expect(await client().refusal('PBD.unplug', pbd)).toEqual(['HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN']);
    await client().call('pool.set_ha_allow_overcommit', pool, true);
    await client().call('PBD.unplug', pbd);
  });

  it('the management interfaces are left alone', async () => {
    const pif = await client().call('host.get_management_interface', member);
    const network = await client().call('network.create', { name_label: 'bond', other_config: {} });
    await enableHa();
    expect(await client().refusal('Bond.create', network, [pif], '', 'balance-slb', {})).toEqual([
      'HA_CANNOT_CHANGE_BOND_STATUS_OF_MGMT_IFACE',
    ]);
    expect(await client().refusal('host.management_reconfigure', pif)).toEqual(['HA_IS_ENABLED']);
    expect(await client().refusal('PIF.reconfigure_ip', pif, 'DHCP', '', '', '', '')).toEqual(['HA_IS_ENABLED']);
  });

  it('no host is taken out of the pool and no role is changed by hand', async () => {
    await enableHa();
    expect(await client().refusal('pool.eject', member)).toEqual(['HA_IS_ENABLED']);
    expect(await client().refusal('pool.designate_new_master', member)).toEqual(['HA_IS_ENABLED']);
    expect(await onMember('pool.emergency_transition_to_master')).toEqual(['HA_IS_ENABLED']);
    expect(await onMember('pool.emergency_reset_master', '127.0.0.1')).toEqual(['HA_IS_ENABLED']);
    await client().call('host.disable', member);
    await client().call('host.shutdown', member);
    await until(
      () => isLive(client(), member),
      (live) => !live,
    );
    expect(await client().refusal('host.destroy', member)).toEqual(['HA_IS_ENABLED']);
  });
});

describe('a host that was taken out of high availability in an emergency', () => {
  it("takes the coordinator's role when it is told to", async () => {
    expect(await onMember('host.emergency_ha_disable')).toEqual(['HA_NOT_ENABLED']);
    await enableHa();
    expect(await onMember('host.emergency_ha_disable')).toBe('');
    expect(await onMember('host.emergency_ha_disable')).toEqual(['HA_NOT_ENABLED']);
    expect(await onMember('host.emergency_ha_disable', true)).toBe('');
    expect(await onMember('pool.emergency_transition_to_master')).toBe('');
    await until(
      () => Promise.resolve(lab().pools[0]?.coordinatorAddress),
      (address) => address === lab().pools[0]?.hostAddresses[1],
    );
  });

  it('takes part again after its next boot if that was all that was asked', async () => {
    await enableHa();
    await onMember('host.emergency_ha_disable', true);
    await client().call('host.disable', member);
    await client().call('host.reboot', member);
    await until(
      () => Promise.resolve(lab().host('ams1-h2').toolstack),
      (state) => state === 'down',
    );
    await until(
      () => isLive(client(), member),
      (live) => live,
    );
    expect(await onMember('pool.emergency_transition_to_master')).toEqual(['HA_IS_ENABLED']);
  });
});

describe('the lost disk of high availability', () => {
  it('is told of by every host, which live on while they hear each other', async () => {
    await enableHa();
    statefileLost();
    await client().call('pool.get_all');
    const messages = await client().call<Record<string, { name: string; obj_uuid: string }>>('message.get_all_records');
    const alerts = Object.values(messages).filter(({ name }) => name === 'HA_STATEFILE_LOST');
    expect(new Set(alerts.map(({ obj_uuid: uuid }) => uuid)).size).toBe(3);
    expect(await isLive(client(), member)).toBe(true);
    await client().call('pool.disable_ha');
    expect(await client().refusal('pool.enable_ha', [shared], {})).toEqual(['HA_HOST_CANNOT_ACCESS_STATEFILE']);
  });

  it('is usable again after the time that was planned', async () => {
    statefileLost(500);
    await client().call('pool.get_all');
    expect(await client().refusal('pool.enable_ha', [shared], {})).toEqual(['HA_HOST_CANNOT_ACCESS_STATEFILE']);
    await until(
      () => client().call('pool.enable_ha', [shared], {}).catch(String),
      (answer) => answer === '',
    );
  });

  it('has every host fence itself when one falls silent, until an operator disarms them', async () => {
    await enableHa();
    statefileLost();
    await client().call('pool.get_all');
    await lab().host('ams1-h3').losePower();
    for (const name of ['ams1-h1', 'ams1-h2'])
      await until(
        () => Promise.resolve(lab().host(name).power),
        (power) => power === 'off',
      );
    lab().host('ams1-h2').powerOn();
    await memberInEmergency();
    expect(await onMember('host.is_in_emergency_mode')).toBe(true);
    expect(await onMember('host.emergency_ha_disable')).toBe('');
    expect(await onMember('pool.emergency_transition_to_master')).toBe('');
    const again = await until(
      () => Promise.resolve(lab().pools[0]?.coordinatorAddress),
      (address) => address === lab().pools[0]?.hostAddresses[1],
    ).then(() => loginAgain(lab()));
    await again.call('pool.disable_ha');
    const [pool = ''] = await again.call<string[]>('pool.get_all');
    expect(await again.call('pool.get_master', pool)).toBe(member);
  });
});
