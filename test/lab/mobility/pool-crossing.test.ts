import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { defaultPool } from '../../../lab/scenario.ts';
import type { World } from '../../../lab/world/world.ts';
import { brokenInvariants } from '../invariants.ts';
import { RawClient } from '../raw-client.ts';
import { byName, deploy, freshLab } from '../with-lab.ts';
import { gib, poolWith, vmOf } from './pool.ts';

// Before the lab is closed, which is what comes next.
afterEach(() => expect([...brokenInvariants(here()), ...brokenInvariants(there())]).toEqual([]));
const { lab, client } = freshLab({
  pools: [...poolWith([vmOf('web'), vmOf('bare', { guestTools: false })]), defaultPool('fra1')],
});

const here = () => lab().world;
const there = () => lab().worlds[1] as World;
const [vmHere, hostThere] = [() => byName(client(), 'VM', 'web'), () => byName(other, 'host', 'fra1-h2')];
let other: RawClient;

beforeEach(async () => {
  other = await RawClient.login({ pools: lab().pools.slice(1) });
});

/** What the pool over there tells of the host that is to take VMs in. */
const destination = async (): Promise<Record<string, string>> =>
  other.call('host.migrate_receive', await hostThere(), await byName(other, 'network', 'tenant'), {});

interface Way {
  readonly vm: string;
  readonly srs: Record<string, string>;
  readonly vifs: Record<string, string>;
}

/** All disks and interfaces of the VM to what has the same name over there. */
async function wayOf(vm: string): Promise<Way> {
  const { VBDs: vbds, VIFs: vifs } = here().store.get('VM', vm);
  const [sr, network] = [await byName(other, 'SR', 'shared'), await byName(other, 'network', 'tenant')];
  return {
    vm,
    srs: Object.fromEntries(vbds.map((vbd) => [here().store.get('VBD', vbd).VDI, sr])),
    vifs: Object.fromEntries(vifs.map((vif) => [vif, network])),
  };
}

const params = ({ vm, srs, vifs }: Way, dest: object, options: object = {}) =>
  [vm, dest, true, srs, vifs, options] as const;
const used = (world: World) => world.store.records('SR').map(([, { physical_utilisation: bytes }]) => bytes);
const free = (world: World, name: string) => {
  const [host = ''] = world.store.byName('host', name);
  return world.store.get('host_metrics', world.store.get('host', host).metrics).memory_free;
};

describe('a VM that goes to another pool', () => {
  it('lives over there with its disks, snapshots and uuid, and nothing of it is left', async () => {
    const vm = await vmHere();
    const { uuid } = here().store.get('VM', vm);
    const snapshot = await client().call('VM.snapshot', vm, 'before');
    const snapshotUuid = await client().call('VM.get_uuid', snapshot);
    const [freeHere, freeThere] = [free(here(), 'ams1-h1'), free(there(), 'fra1-h2')];
    const usedThere = used(there()).reduce((sum, bytes) => sum + bytes);
    const needed = 2 * gib + here().store.get('VM', vm).memory_overhead;
    const way = await wayOf(vm);
    const moved = await client().call('VM.migrate_send', ...params(way, await destination()));
    expect(await other.call('VM.get_record', moved)).toMatchObject({
      ...{ uuid, name_label: 'web', power_state: 'Running', current_operations: {}, resident_on: await hostThere() },
      snapshots: [await other.call('VM.get_by_uuid', snapshotUuid)],
    });
    const [vbd = ''] = await other.call<string[]>('VM.get_VBDs', moved);
    const vdi = await other.call('VBD.get_VDI', vbd);
    expect(await other.call('VBD.get_currently_attached', vbd)).toBe(true);
    expect(await other.call('VDI.get_snapshots', vdi)).toHaveLength(1);
    expect(used(there()).reduce((sum, bytes) => sum + bytes) - usedThere).toBe(10 * gib);
    expect(free(here(), 'ams1-h1') - freeHere).toBe(needed);
    expect(freeThere - free(there(), 'fra1-h2')).toBe(needed);
    expect(await client().refusal('VM.get_by_uuid', uuid)).toEqual(['UUID_INVALID', 'VM', uuid]);
    expect(await client().refusal('VM.get_record', snapshot)).toEqual(['HANDLE_INVALID', 'VM', snapshot]);
    for (const gone of Object.keys(way.srs))
      expect(await client().refusal('VDI.get_record', gone)).toEqual(['HANDLE_INVALID', 'VDI', gone]);
  });

  it('keeps the address and the open connection of its guest, which reboots and stops over there', async () => {
    const vm = await deploy(client(), 'router');
    await client().call('VM.start', vm, false, false);
    const { address } = (await here().runningGuests.get(vm)?.booted) ?? {};
    const socket = connect(2222, address);
    await once(socket, 'data');
    const moved = await client().call('VM.migrate_send', ...params(await wayOf(vm), await destination()));
    expect(socket.readyState).toBe('open');
    socket.destroy();
    const metrics = await other.call('VM.get_guest_metrics', moved);
    expect(await other.call('VM_guest_metrics.get_networks', metrics)).toMatchObject({ '0/ip': address });
    await other.call('VM.clean_reboot', moved);
    expect(await there().runningGuests.get(moved)?.booted).toMatchObject({ address });
    await other.call('VM.clean_shutdown', moved);
  });

  it('is told by events of both pools', async () => {
    const vm = await vmHere();
    const [before, beforeThere] = await Promise.all(
      [client(), other].map((one) => one.call<{ token: string }>('event.from', ['vm'], '', 0)),
    );
    const moved = await client().call('VM.migrate_send', ...params(await wayOf(vm), await destination()));
    interface Told {
      readonly events: readonly { readonly ref: string; readonly operation: string }[];
    }
    const [left, came] = await Promise.all([
      client().call<Told>('event.from', ['vm'], before?.token, 5),
      other.call<Told>('event.from', ['vm'], beforeThere?.token, 5),
    ]);
    expect(left.events).toContainEqual(expect.objectContaining({ ref: vm, operation: 'del' }));
    expect(came.events).toContainEqual(expect.objectContaining({ ref: moved, operation: 'add' }));
  });

  it('stays as it was, with nothing over there, when the move fails or is cancelled', async () => {
    const vm = await vmHere();
    const [way, dest] = [await wayOf(vm), await destination()];
    const before = lab().snapshot();
    lab().plan({ kind: 'migration-fails', object: 'web' });
    expect((await client().refusal('VM.migrate_send', ...params(way, dest)))[0]).toBe('VM_MIGRATE_FAILED');
    expect(lab().diff(before)).toEqual([]);
    const held = lab().hold({ method: 'VM.migrate_send', at: 'before-effect' });
    const task = await client().call('Async.VM.migrate_send', ...params(way, dest));
    await held.reached;
    await client().call('task.cancel', task);
    held.release();
    expect(await client().task(task)).toMatchObject({ status: 'cancelled' });
    expect(lab().diff(before)).toEqual([]);
    expect(await client().call('VM.get_power_state', vm)).toBe('Running');
  });

  it('is copied when it is halted: another VM over there, this one as it was', async () => {
    const vm = await vmHere();
    const [way, dest] = [await wayOf(vm), await destination()];
    const copy = { copy: 'true' };
    expect(await client().refusal('VM.assert_can_migrate', ...params(way, dest, copy))).toEqual([
      ...['VM_BAD_POWER_STATE', vm, 'halted', 'running'],
    ]);
    await client().call('VM.hard_shutdown', vm);
    const before = here().store.get('VM', vm);
    const copied = await client().call('VM.migrate_send', ...params(way, dest, copy));
    expect(here().store.get('VM', vm)).toEqual(before);
    const record = there().store.get('VM', copied);
    expect(record).toMatchObject({ name_label: 'web', power_state: 'Halted' });
    expect(record.uuid).not.toBe(before.uuid);
    const macOf = (world: World, vif = '') => world.store.get('VIF', vif).MAC;
    expect(macOf(there(), record.VIFs[0])).not.toBe(macOf(here(), before.VIFs[0]));
    await other.call('VM.start', copied, false, false);
  });
});

describe('a VM is not let into another pool', () => {
  it('when a disk or an interface has no place there', async () => {
    const vm = await vmHere();
    const [{ srs, vifs }, dest] = [await wayOf(vm), await destination()];
    const [vdi, vif] = [Object.keys(srs)[0], Object.keys(vifs)[0]];
    const refusal = (way: Way) => client().refusal('VM.assert_can_migrate', ...params(way, dest));
    expect(await refusal({ vm, srs: {}, vifs })).toEqual(['VDI_NOT_IN_MAP', vdi]);
    expect(await refusal({ vm, srs, vifs: {} })).toEqual(['VIF_NOT_IN_MAP', vif]);
    const local = await byName(other, 'SR', 'local-h1');
    expect(await refusal({ vm, srs: { [String(vdi)]: local }, vifs })).toEqual(['VM_REQUIRES_SR', vm, local]);
    await client().call('VM.assert_can_migrate', ...params({ vm, srs, vifs }, dest));
  });

  it('by a session that is none there, or through a host that does not answer or does not coordinate', async () => {
    const [way, dest] = [await wayOf(await vmHere()), await destination()];
    const refusal = (more: object) => client().refusal('VM.migrate_send', ...params(way, { ...dest, ...more }));
    expect(await refusal({ session_id: 'OpaqueRef:none' })).toEqual(['SESSION_INVALID', 'OpaqueRef:none']);
    expect(await refusal({ master: 'https://192.0.2.7/' })).toEqual(['CANNOT_CONTACT_HOST', '192.0.2.7']);
    const { address } = there().store.get('host', await hostThere());
    const { address: coordinator } = there().store.get('host', there().pool.master);
    expect(await refusal({ master: `https://${address}/` })).toEqual(['HOST_IS_SLAVE', coordinator]);
    await lab().host('fra1-h2').losePower();
    expect(await refusal({})).toEqual(['CANNOT_CONTACT_HOST', address]);
  });

  it('by a host that is disabled or has too little memory, by a full SR, and with another CPU', async () => {
    const vm = await vmHere();
    const [way, dest, host] = [await wayOf(vm), await destination(), await hostThere()];
    const refusal = (options = {}) => client().refusal('VM.assert_can_migrate', ...params(way, dest, options));
    const { cpu_info: cpu } = there().store.get('host', host);
    there().store.update('host', host, { cpu_info: { ...cpu, vendor: 'AuthenticAMD' } });
    expect((await refusal()).slice(0, 3)).toEqual(['VM_INCOMPATIBLE_WITH_THIS_HOST', vm, host]);
    await client().call('VM.assert_can_migrate', ...params(way, dest, { force: 'true' }));
    there().store.update('host', host, { cpu_info: cpu });
    await other.call('host.disable', host);
    expect(await refusal()).toEqual(['HOST_DISABLED', host]);
    await other.call('host.enable', host);
    const { metrics } = there().store.get('host', host);
    const { memory_total: total } = there().store.get('host_metrics', metrics);
    there().store.update('host_metrics', metrics, { memory_total: 2 * gib });
    expect((await refusal())[0]).toBe('HOST_NOT_ENOUGH_FREE_MEMORY');
    there().store.update('host_metrics', metrics, { memory_total: total });
    lab().plan({ kind: 'sr-full', pool: 'fra1' });
    expect((await refusal())[0]).toBe('SR_BACKEND_FAILURE_44');
  });

  it('while one of its uuid or its seed of addresses is there', async () => {
    const vm = await vmHere();
    const [way, dest] = [await wayOf(vm), await destination()];
    const twin = await deploy(other, 'twin');
    const { other_config: config } = here().store.get('VM', vm);
    there().store.update('VM', twin, { other_config: config });
    expect(await client().refusal('VM.assert_can_migrate', ...params(way, dest))).toEqual(['DUPLICATE_VM', twin]);
  });
});
