import { beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { startControl } from '../../../lab/control.ts';
import { brokenInvariants } from '../invariants.ts';
import { byName, deploy, freshLab } from '../with-lab.ts';
import { answers, hostRecord, isLive, loginAgain, until, untilBack } from './pool.ts';

const { lab, client } = freshLab();
let member: string;
let coordinator: string;

beforeEach(async () => {
  coordinator = await byName(client(), 'host', 'ams1-h1');
  member = await byName(client(), 'host', 'ams1-h2');
});

const isOff = (name: string) =>
  until(
    () => Promise.resolve(lab().host(name).power),
    (power) => power === 'off',
  );

describe('a host that dies on a call', () => {
  it('is the one that the call is about, which the pool then misses', async () => {
    lab().plan({ kind: 'host-dead', method: 'host.disable' });
    const { address } = await hostRecord(client(), member);
    expect((await client().refusal('host.disable', member))[0]).toBe('CANNOT_CONTACT_HOST');
    expect(await answers(lab(), address)).toBe(false);
    await until(
      () => isLive(client(), member),
      (live) => !live,
    );
  });

  it('is the one that is named, on the call that is counted', async () => {
    lab().plan({ kind: 'host-dead', method: 'VM.clone', nth: 2, victim: 'ams1-h3' });
    const template = await byName(client(), 'VM', 'debian-12');
    await client().call('VM.clone', template, 'one');
    expect(lab().host('ams1-h3').power).toBe('on');
    await client().call('VM.clone', template, 'two');
    expect(lab().host('ams1-h3').power).toBe('off');
  });

  it('does nothing of the call when it is the one that would have answered', async () => {
    const planned = lab().plan({ kind: 'host-dead', method: 'VM.clone', forMs: 20 });
    const template = await byName(client(), 'VM', 'debian-12');
    await expect(client().call('VM.clone', template, 'one')).rejects.toThrow('fetch failed');
    const again = await loginAgain(lab());
    expect(await again.call('VM.get_by_name_label', 'one')).toEqual([]);
    expect(lab().calls({ method: 'VM.clone' })).toMatchObject([
      { outcome: 'dropped', cut: true, faults: [planned.id] },
    ]);
  });

  it('comes back by itself when the fault says after how long', async () => {
    const before = await hostRecord(client(), member);
    lab().plan({ kind: 'host-dead', method: 'pool.get_all', victim: 'ams1-h2', forMs: 10 });
    await client().call('pool.get_all');
    const after = await untilBack(client(), member, before);
    expect(after.other_config.boot_time).not.toBe(before.other_config.boot_time);
  });

  it('ends a migration from it, and one to it', async () => {
    const [from, to] = [await deploy(client(), 'web-1'), await deploy(client(), 'web-2')];
    const third = await byName(client(), 'host', 'ams1-h3');
    await client().call('VM.start_on', from, member, false, false);
    await client().call('VM.start_on', to, coordinator, false, false);
    const booted = (vm: string) =>
      until(
        () => client().call('VM.get_guest_metrics', vm),
        (metrics) => metrics !== 'OpaqueRef:NULL',
      );
    await Promise.all([booted(from), booted(to)]);
    lab().plan({ kind: 'host-dead', method: 'vm.migrate', object: 'web-2', victim: 'ams1-h3' });
    expect((await client().refusal('VM.pool_migrate', to, third, {}))[0]).toBe('VM_MIGRATE_FAILED');
    expect(await client().call('VM.get_resident_on', to)).toBe(coordinator);
    lab().plan({ kind: 'host-dead', method: 'vm.migrate', object: 'web-1' });
    expect((await client().refusal('VM.pool_migrate', from, coordinator, {}))[0]).toBe('VM_MIGRATE_FAILED');
    expect(lab().host('ams1-h2').power).toBe('off');
    expect(await client().call('VM.get_resident_on', from)).toBe(member);
    expect(brokenInvariants(lab().world)).toEqual([]);
  });

  it('is drawn by chance, the same with the same seed', async () => {
    lab().plan({ kind: 'host-dead', method: 'pool.get_all', victim: 'ams1-h2', probability: 0.2, seed: 3 });
    let calls = 0;
    while (lab().host('ams1-h2').power === 'on') {
      await client().call('pool.get_all');
      calls += 1;
    }
    expect(calls).toBe(2);
  });
});

describe('a toolstack that goes down', () => {
  it('leaves the VMs running; the pool takes the host for dead until it is started again', async () => {
    const vm = await deploy(client(), 'web-1');
    await client().call('VM.start_on', vm, member, false, false);
    const before = await hostRecord(client(), member);
    lab().plan({ kind: 'toolstack-down', method: 'VM.get_record', victim: before.address });
    await client().call('VM.get_record', vm);
    expect(await answers(lab(), before.address)).toBe(false);
    await until(
      () => isLive(client(), member),
      (live) => !live,
    );
    expect(await client().call('VM.get_power_state', vm)).toBe('Running');
    lab().host('ams1-h2').powerOn();
    const after = await untilBack(client(), member, before);
    expect(after.other_config.boot_time).toBe(before.other_config.boot_time);
    expect(await isLive(client(), member)).toBe(true);
    expect(await client().call('VM.get_resident_on', vm)).toBe(member);
  });

  it('has the host fenced where high availability counts on it, and its protected VMs restarted elsewhere', async () => {
    const vm = await deploy(client(), 'web-1');
    await client().call('VM.start_on', vm, member, false, false);
    await client().call('pool.enable_ha', [await byName(client(), 'SR', 'shared')], {});
    await client().call('VM.set_ha_restart_priority', vm, 'restart');
    lab().plan({ kind: 'toolstack-down', method: 'pool.get_all', victim: 'ams1-h2' });
    await client().call('pool.get_all');
    await isOff('ams1-h2');
    const home = await until(
      () => client().call('VM.get_resident_on', vm),
      (host) => host !== member && host !== 'OpaqueRef:NULL',
    );
    expect(home).not.toBe(member);
  });
});

describe('a reboot', () => {
  it('takes longer, or has no end, as planned', async () => {
    const before = await hostRecord(client(), member);
    lab().plan({ kind: 'slow', method: 'host.boot', object: 'ams1-h2', delayMs: 150 });
    lab().plan({ kind: 'stays-down', object: 'ams1-h2', nth: 2 });
    const reboot = async () => {
      await client().call('host.disable', member);
      await client().call('host.reboot', member);
    };
    const sentMs = performance.now();
    await reboot();
    await untilBack(client(), member, before);
    expect(performance.now() - sentMs).toBeGreaterThan(150);
    await reboot();
    await isOff('ams1-h2');
  });
});

describe('the control port', () => {
  it('plans host faults, tells how the hosts are, and takes and gives power', async () => {
    const control = await startControl(lab(), 0);
    const port = request(control.url);
    const fault = { kind: 'host-dead', method: 'pool.get_all', victim: 'ams1-h3' };
    expect((await port.post('/faults').send(fault)).status).toBe(201);
    await client().call('pool.get_all');
    expect((await port.put('/hosts/ams1-h2').send({ power: 'off' })).body).toMatchObject({ power: 'off' });
    expect((await port.get('/hosts')).body).toEqual([
      { name: 'ams1-h1', pool: 'ams1', power: 'on', toolstack: 'up' },
      { name: 'ams1-h2', pool: 'ams1', power: 'off', toolstack: 'down' },
      { name: 'ams1-h3', pool: 'ams1', power: 'off', toolstack: 'down' },
    ]);
    await port.put('/hosts/ams1-h2').send({ power: 'on' });
    await until(
      () => Promise.resolve(lab().host('ams1-h2').toolstack),
      (state) => state === 'up',
    );
    expect((await port.put('/hosts/nosuch').send({ power: 'on' })).status).toBe(404);
    expect((await port.put('/hosts/ams1-h1').send({ power: 'dim' })).status).toBe(400);
    await control.close();
  });
});
