import { beforeEach, describe, expect, it } from '@jest/globals';
import { byName, deploy, freshLab } from '../with-lab.ts';
import { answers, hostRecord, isLive, until, untilBack } from './pool.ts';

const { lab, client } = freshLab();
let host: string;

beforeEach(async () => {
  host = await byName(client(), 'host', 'ams1-h2');
});

describe('the reboot of a member', () => {
  it('is refused as long as the host is enabled', async () => {
    expect(await client().refusal('host.reboot', host)).toEqual(['HOST_NOT_DISABLED']);
    expect(await client().refusal('host.shutdown', host)).toEqual(['HOST_NOT_DISABLED']);
    expect((await hostRecord(client(), host)).allowed_operations).not.toContain('reboot');
    await client().call('host.disable', host);
    expect((await hostRecord(client(), host)).allowed_operations).toEqual(
      expect.arrayContaining(['reboot', 'shutdown', 'evacuate']),
    );
  });

  it('closes its port, and brings it back booted, live, enabled and with its storage', async () => {
    const before = await hostRecord(client(), host);
    await client().call('host.disable', host);
    await client().call('host.reboot', host);
    await until(
      () => answers(lab(), before.address),
      (answered) => !answered,
    );
    const after = await untilBack(client(), host, before);
    expect(Number(after.other_config.boot_time)).toBeGreaterThan(Number(before.other_config.boot_time));
    expect(after.current_operations).toEqual({});
    expect(await isLive(client(), host)).toBe(true);
    expect(await answers(lab(), before.address)).toBe(true);
    const pbds =
      await client().call<Record<string, { host: string; currently_attached: boolean }>>('PBD.get_all_records');
    expect(
      Object.values(pbds)
        .filter((pbd) => pbd.host === host)
        .map((pbd) => pbd.currently_attached),
    ).toEqual([true]);
  });

  it('tells a start time later than every time that the pool told before', async () => {
    const before = await hostRecord(client(), host);
    await client().call('host.disable', host);
    const noted = await client().call('host.get_servertime', await byName(client(), 'host', 'ams1-h1'));
    await client().call('host.reboot', host);
    const after = await untilBack(client(), host, before);
    const notedAt = Date.parse(noted.replace(/^(\d{4})(\d{2})(\d{2})/, '$1-$2-$3')) / 1000;
    expect(Number(after.other_config.agent_start_time)).toBeGreaterThan(notedAt);
  });

  it('halts the VMs that were left on it', async () => {
    const vm = await deploy(client(), 'web-1');
    await client().call('VM.start_on', vm, host, false, false);
    const before = await hostRecord(client(), host);
    await client().call('host.disable', host);
    await client().call('host.reboot', host);
    await until(
      () => client().call('VM.get_power_state', vm),
      (state) => state === 'Halted',
    );
    const after = await untilBack(client(), host, before);
    expect(after.resident_VMs).not.toContain(vm);
    expect(lab().world.runningGuests.has(vm)).toBe(false);
  });

  it('leaves a host disabled that was to stay so until somebody enables it', async () => {
    const before = await hostRecord(client(), host);
    await client().call('host.disable', host, false);
    await client().call('host.reboot', host);
    await until(
      () => isLive(client(), host),
      (live) => !live,
    );
    await until(
      () => hostRecord(client(), host),
      ({ other_config: config }) => config.boot_time !== before.other_config.boot_time,
    );
    const refused = await until(
      async () =>
        client()
          .call('host.enable', host)
          .catch((error: unknown) => String(error)),
      (answer) => answer === '',
    );
    expect(refused).toBe('');
    expect((await hostRecord(client(), host)).enabled).toBe(true);
  });

  it('can be planned to end in nothing, until somebody switches the host on', async () => {
    lab().plan({ kind: 'stays-down', object: 'ams1-h2' });
    const before = await hostRecord(client(), host);
    await client().call('host.disable', host);
    await client().call('host.reboot', host);
    await until(
      () => Promise.resolve(lab().host('ams1-h2').power),
      (power) => power === 'off',
    );
    expect(await answers(lab(), before.address)).toBe(false);
    expect(await client().refusal('host.reboot', host)).toEqual(['HOST_OFFLINE', host]);
    lab().host('ams1-h2').powerOn();
    await untilBack(client(), host, before);
  });
});

describe('a host that was shut down', () => {
  it('stays down until it is powered on, which its mode has to allow', async () => {
    const before = await hostRecord(client(), host);
    expect(await client().refusal('host.power_on', host)).toEqual(['HOST_IS_LIVE', host]);
    await client().call('host.disable', host);
    await client().call('host.shutdown', host);
    await until(
      () => Promise.resolve(lab().host('ams1-h2').power),
      (power) => power === 'off',
    );
    expect(await client().refusal('host.power_on', host)).toEqual(['HOST_POWER_ON_MODE_DISABLED']);
    await client().call('host.set_power_on_mode', host, 'wake-on-lan', {});
    expect((await hostRecord(client(), host)).allowed_operations).toContain('power_on');
    await client().call('host.power_on', host);
    await untilBack(client(), host, before);
  });
});

describe('a host that loses its power', () => {
  it('is gone at once, and the pool takes it for dead a while later', async () => {
    const vm = await deploy(client(), 'web-1');
    await client().call('VM.start_on', vm, host, false, false);
    const { address } = await hostRecord(client(), host);
    await lab().host('ams1-h2').losePower();
    expect(await answers(lab(), address)).toBe(false);
    expect(await client().call('VM.get_power_state', vm)).toBe('Running');
    await until(
      () => isLive(client(), host),
      (live) => !live,
    );
    expect(await client().refusal('VM.hard_shutdown', vm)).toEqual(['HOST_OFFLINE', host]);
    await client().call('host.declare_dead', host);
    expect(await client().call('VM.get_power_state', vm)).toBe('Halted');
  });

  it('finds its VMs halted when it is switched on again', async () => {
    const vm = await deploy(client(), 'web-1');
    await client().call('VM.start_on', vm, host, false, false);
    const before = await hostRecord(client(), host);
    await lab().host('ams1-h2').losePower();
    lab().host('ams1-h2').powerOn();
    await untilBack(client(), host, before);
    expect(await client().call('VM.get_power_state', vm)).toBe('Halted');
  });
});

describe('a restarted toolstack', () => {
  it('has a new start time, the same boot time and all its VMs', async () => {
    const vm = await deploy(client(), 'web-1');
    await client().call('VM.start_on', vm, host, false, false);
    const before = await hostRecord(client(), host);
    await client().call('host.restart_agent', host);
    const after = await untilBack(client(), host, before);
    expect(after.other_config.boot_time).toBe(before.other_config.boot_time);
    expect(await client().call('VM.get_power_state', vm)).toBe('Running');
  });
});

describe('VMs with auto_poweron', () => {
  it('start after a host’s boot if the pool allows it', async () => {
    const vm = await deploy(client(), 'web-1');
    const other = await deploy(client(), 'web-2');
    await client().call('VM.add_to_other_config', vm, 'auto_poweron', 'true');
    await client().call('VM.start_on', vm, host, false, false);
    const [pool] = await client().call<string[]>('pool.get_all');
    await client().call('pool.add_to_other_config', pool, 'auto_poweron', 'true');
    await client().call('host.disable', host);
    await client().call('host.reboot', host);
    await until(
      () => client().call('VM.get_power_state', vm),
      (state) => state === 'Halted',
    );
    await until(
      () => client().call('VM.get_power_state', vm),
      (state) => state === 'Running',
    );
    expect(await client().call('VM.get_power_state', other)).toBe('Halted');
  });
});
