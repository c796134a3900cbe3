import { afterEach, describe, expect, it } from '@jest/globals';
import { brokenInvariants } from '../invariants.ts';
import { byName, sharedLab } from '../with-lab.ts';
import { gib, homeOf, poolWith, refsOf, vmOf } from './pool.ts';

const local = [{ sr: 'local-h1', sizeBytes: 10 * gib }];
const [pool] = poolWith([
  vmOf('db', { disks: local }),
  vmOf('mail', { disks: local }),
  vmOf('web'),
  vmOf('bare', { guestTools: false, disks: local }),
]);
if (pool === undefined) throw new Error('there is no pool');
const secondSr = { name: 'local-h2', sizeBytes: 200 * gib, hosts: ['ams1-h2'] };
const { lab, client } = sharedLab({ pools: [{ ...pool, srs: [...pool.srs, secondSr] }] });

afterEach(() => expect(brokenInvariants(lab().world)).toEqual([]));

const used = async (sr: string) =>
  client().call<number>('SR.get_physical_utilisation', await byName(client(), 'SR', sr));

async function destination(host: string): Promise<Record<string, string>> {
  return client().call('host.migrate_receive', host, await byName(client(), 'network', 'tenant'), {});
}

async function diskOf(vm: string): Promise<{ readonly vbd: string; readonly vdi: string }> {
  const [vbd = ''] = await client().call<string[]>('VM.get_VBDs', vm);
  return { vbd, vdi: await client().call('VBD.get_VDI', vbd) };
}

const send = (vm: string, dest: object, srs: object, options: object = {}) =>
  ['VM.migrate_send', vm, dest, true, srs, {}, options] as const;

describe('a running VM with a disk on local storage', () => {
  it('goes to another host and takes its disk along, as a new object in the same drive', async () => {
    const { vms, h2 } = await refsOf(client(), 'db');
    const [vm = ''] = vms;
    const { vbd, vdi } = await diskOf(vm);
    const [before1, before2] = [await used('local-h1'), await used('local-h2')];
    const target = await byName(client(), 'SR', 'local-h2');
    expect(await client().call(...send(vm, await destination(h2), { [vdi]: target }))).toBe(vm);
    expect(await homeOf(client(), vm)).toBe(h2);
    const moved = await client().call('VBD.get_VDI', vbd);
    expect(await client().call('VDI.get_record', moved)).toMatchObject({
      SR: target,
      VBDs: [vbd],
      name_label: 'db disk 0',
    });
    expect(await client().refusal('VDI.get_record', vdi)).toEqual(['HANDLE_INVALID', 'VDI', vdi]);
    expect([await used('local-h1'), await used('local-h2')]).toEqual([before1 - 10 * gib, before2 + 10 * gib]);
  });

  it('keeps its host when only a disk moves, with VDI.pool_migrate, and the disk says where it is now', async () => {
    const { vms, h1 } = await refsOf(client(), 'mail');
    const [vm = ''] = vms;
    const { vbd, vdi } = await diskOf(vm);
    const shared = await byName(client(), 'SR', 'shared');
    const moved = await client().call('VDI.pool_migrate', vdi, shared, {});
    expect(await client().call('VBD.get_VDI', vbd)).toBe(moved);
    expect(await client().call('VDI.get_SR', moved)).toBe(shared);
    expect(await homeOf(client(), vm)).toBe(h1);
  });

  it('stays whole on its host, and takes nothing over there, when the move fails', async () => {
    const { vms, h1, h2 } = await refsOf(client(), 'web');
    const [vm = ''] = vms;
    const { vbd, vdi } = await diskOf(vm);
    const target = await byName(client(), 'SR', 'local-h2');
    const [dest, before] = [await destination(h2), await used('local-h2')];
    lab().plan({ kind: 'migration-fails', object: 'web' });
    expect((await client().refusal(...send(vm, dest, { [vdi]: target })))[0]).toBe('VM_MIGRATE_FAILED');
    expect(await homeOf(client(), vm)).toBe(h1);
    expect(await client().call('VBD.get_VDI', vbd)).toBe(vdi);
    expect(await used('local-h2')).toBe(before);
  });
});

describe('a move of disks is refused', () => {
  it('when a disk has no place to go, one that its new host does not see, or one that tracks its changes', async () => {
    const { vms, h1, h2 } = await refsOf(client(), 'web');
    const [vm = ''] = vms;
    const { vdi } = await diskOf(vm);
    const check = (dest: object, srs: object) => ['VM.assert_can_migrate', vm, dest, true, srs, {}, {}] as const;
    const [dest, local] = [await destination(h2), await byName(client(), 'SR', 'local-h1')];
    expect(await client().refusal(...check(dest, {}))).toEqual(['VDI_NOT_IN_MAP', vdi]);
    expect(await client().refusal(...check(dest, { [vdi]: local }))).toEqual(['VM_REQUIRES_SR', vm, local]);
    await client().call('VDI.enable_cbt', vdi);
    expect(await client().refusal(...check(await destination(h1), { [vdi]: local }))).toEqual(['VDI_CBT_ENABLED', vdi]);
    await client().call('VDI.disable_cbt', vdi);
    await client().call(...check(await destination(h1), { [vdi]: local }));
  });

  it('without an agent in the guest, to a pool that does not answer, and to what says nothing of a host', async () => {
    const { vms, h1 } = await refsOf(client(), 'bare', 'web');
    const [bare = '', vm = ''] = vms;
    const dest = await destination(h1);
    expect(await client().refusal(...send(bare, dest, {}))).toEqual(['VM_LACKS_FEATURE', bare]);
    const elsewhere = { ...dest, host: 'OpaqueRef:elsewhere', master: 'https://192.0.2.7/' };
    expect(await client().refusal(...send(vm, elsewhere, {}))).toEqual(['CANNOT_CONTACT_HOST', '192.0.2.7']);
    expect(await client().refusal(...send(vm, {}, {}))).toEqual(['INTERNAL_ERROR', 'Not_found']);
  });

  it('for a disk that no VM uses', async () => {
    const sr = await byName(client(), 'SR', 'shared');
    const about = { name_label: 'lone', name_description: '', type: 'user', sharable: false, read_only: false };
    const vdi = await client().call('VDI.create', { ...about, SR: sr, virtual_size: gib, other_config: {} });
    expect(await client().refusal('VDI.pool_migrate', vdi, sr, {})).toEqual(['VDI_NEEDS_VM_FOR_MIGRATE', vdi]);
  });
});
