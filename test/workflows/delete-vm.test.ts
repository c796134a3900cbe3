import { afterAll, describe, expect, it } from '@jest/globals';
import { connectTo } from '../adapters/xapi/support.ts';
import { startSite } from '../support/site.ts';

const site = await startSite();
/** Of somebody who works on the pool beside us. */
const xapi = connectTo(site.lab);
afterAll(() => site.stop());

async function deployed(name: string, part: Record<string, unknown> = {}): Promise<void> {
  const { id } = await site.request('deploy-vm', {
    pool: 'ams1',
    name,
    template: 'debian-12',
    networks: ['tenant'],
    ...part,
  });
  expect(await site.ended(id)).toMatchObject({ state: 'succeeded' });
}

async function vmCalled(name: string): Promise<string> {
  const [vm] = await xapi.call('VM.get_by_name_label', name);
  if (vm === undefined) throw new Error(`no VM called ${name}`);
  return vm;
}

async function deleted(name: string, part: Record<string, unknown> = {}) {
  return site.ended((await site.request('delete-vm', { pool: 'ams1', name, ...part })).id);
}

describe('deleting a VM', () => {
  it('takes its disks with it and leaves the world as it was before the deployment', async () => {
    const before = site.lab.snapshot();
    await deployed('gone', { disks: [{ name: 'data', sizeGiB: 1 }] });
    const { id } = await site.request('delete-vm', { pool: 'ams1', name: 'gone' });
    expect(await site.ended(id)).toMatchObject({ state: 'succeeded', result: { disksRemoved: 3 } });
    expect(site.lab.diff(before)).toEqual([]);
  });

  it.each([
    ['the name is no VM of the pool', { name: 'never-was' }],
    ['the name is a template', { name: 'debian-12' }],
    ['the uuid is nobody', { name: 'never-was', uuid: '00000000-0000-0000-0000-000000000000' }],
  ])('says that there is no such VM when %s', async (_what, { name, ...part }) => {
    expect(await deleted(name, part)).toMatchObject({ state: 'failed', failure: { code: 'VM_NOT_FOUND' } });
  });

  it('takes nothing away when the uuid is that of a VM with another name', async () => {
    await deployed('somebody');
    const uuid = await xapi.call('VM.get_uuid', await vmCalled('somebody'));
    const run = await deleted('nobody', { uuid });
    expect(run).toMatchObject({ state: 'failed', failure: { code: 'VM_NOT_FOUND' } });
    expect(run.failure?.message).toContain('is not called nobody');
    expect(await xapi.call('VM.get_power_state', await vmCalled('somebody'))).toBe('Running');
  });

  it('switches a guest off that does not obey in time, and one that cannot hear', async () => {
    await deployed('deaf');
    site.lab.plan({ method: 'VM.clean_shutdown', object: 'deaf', kind: 'slow', delayMs: 2_500 });
    expect(await deleted('deaf', { shutdownTimeoutSeconds: 1 })).toMatchObject({ state: 'succeeded' });

    await deployed('frozen');
    await xapi.call('VM.pause', await vmCalled('frozen'));
    const asked = site.lab.calls({ method: 'VM.clean_shutdown' }).length;
    expect(await deleted('frozen')).toMatchObject({ state: 'succeeded' });
    expect(site.lab.calls({ method: 'VM.clean_shutdown' })).toHaveLength(asked);
  });

  it('takes an empty CD drive for what it is', async () => {
    await deployed('with-drive');
    await xapi.call('VBD.create', {
      ...{ VM: await vmCalled('with-drive'), VDI: 'OpaqueRef:NULL', userdevice: '3', bootable: false, mode: 'RO' },
      ...{ type: 'CD', unpluggable: true, empty: true, other_config: {} },
      ...{ qos_algorithm_type: '', qos_algorithm_params: {} },
    });
    expect(await deleted('with-drive')).toMatchObject({ state: 'succeeded', result: { disksRemoved: 2 } });
  });

  it('holds for an operator when a disk cannot be destroyed, and ends clean after retry', async () => {
    const before = site.lab.snapshot();
    await deployed('stuck');
    site.lab.plan({ method: 'VDI.destroy', kind: 'refused', error: ['SR_BACKEND_FAILURE_81', '', 'no', ''], times: 2 });
    const { id } = await site.request('delete-vm', { pool: 'ams1', name: 'stuck' });
    const held = await site.reaches(id, 'needs-operator');
    expect(held.committed).toBe(true);
    expect((await site.store.ledger(id)).filter((row) => row.state === 'owed')).toHaveLength(2);
    await expect(site.engine.cancel(held, 'tester')).rejects.toMatchObject({ code: 'ACTION_REFUSED' });
    await expect(site.engine.skip(held, 'tester', ' ')).rejects.toMatchObject({ code: 'ACTION_REFUSED' });
    expect(await site.engine.retry(held, 'tester')).toContain('destroyDisks');
    expect((await site.store.get(id))?.state).not.toBe('needs-operator');
    expect(await site.ended(id)).toMatchObject({ state: 'succeeded' });
    expect(site.lab.diff(before)).toEqual([]);
  });

  it('leaves what an operator skips in the ledger, with the reason, and says so at the end', async () => {
    await deployed('left');
    site.lab.plan({ method: 'VDI.destroy', kind: 'refused', error: ['SR_BACKEND_FAILURE_81', '', 'no', ''], times: 2 });
    const { id } = await site.request('delete-vm', { pool: 'ams1', name: 'left' });
    const held = await site.reaches(id, 'needs-operator');
    const skip = () => site.engine.skip(held, 'tester', 'storage is being replaced');
    const answers = await Promise.allSettled([skip(), skip()]);
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect((await site.store.get(id))?.state).not.toBe('needs-operator');
    const reason = 'storage is being replaced';
    expect(await site.ended(id)).toMatchObject({
      state: 'succeeded-with-skips',
      skips: [{ step: 'destroyDisks', reason }],
    });
    const abandoned = (await site.store.ledger(id)).filter((row) => row.state === 'abandoned');
    expect(abandoned).toHaveLength(2);
    expect(abandoned.map((row) => row.reason)).toEqual([reason, reason]);
  });

  it('starts the VM again when it is cancelled before the point of no return', async () => {
    await deployed('kept');
    const before = site.lab.snapshot();
    const barrier = site.lab.hold({ method: 'VM.clean_shutdown', at: 'after-effect' });
    const { id } = await site.request('delete-vm', { pool: 'ams1', name: 'kept' });
    await barrier.reached;
    const run = await site.reaches(id, 'running');
    await expect(site.engine.retry(run, 'tester')).rejects.toMatchObject({ code: 'ACTION_REFUSED' });
    await site.engine.cancel(run, 'tester');
    const undoing = site.lab.hold({ method: 'VM.start', at: 'before-effect' });
    barrier.release();
    await undoing.reached;
    await expect(site.engine.cancel(run, 'tester')).rejects.toMatchObject({
      code: 'ACTION_REFUSED',
      message: expect.stringContaining('being undone already'),
    });
    undoing.release();
    expect(await site.ended(id)).toMatchObject({ state: 'cancelled' });
    // A start makes new guest metrics, as in life.
    const others = site.lab
      .diff(before)
      .filter(({ cls, change }) => cls !== 'VM_guest_metrics' && change !== 'changed');
    expect(others).toEqual([]);
    const vm = [...site.lab.world.store.entries('VM')].find((one) => one.record.name_label === 'kept');
    expect(vm?.record.power_state).toBe('Running');
  });

  it('asks for the uuid when several VMs have the name, and takes the one that is meant', async () => {
    await deployed('pair');
    await deployed('other');
    const vms = [...site.lab.world.store.entries('VM')];
    const other = vms.find((one) => one.record.name_label === 'other');
    if (other === undefined) throw new Error('no VM called other');
    site.lab.world.store.update('VM', other.ref, { name_label: 'pair' });
    const unsure = await site.request('delete-vm', { pool: 'ams1', name: 'pair' });
    const answer = await site.ended(unsure.id);
    expect(answer).toMatchObject({ state: 'failed', failure: { code: 'NAME_AMBIGUOUS' } });
    expect(answer.failure?.message).toContain(other.record.uuid);
    const sure = await site.request('delete-vm', { pool: 'ams1', name: 'pair', uuid: other.record.uuid });
    expect(await site.ended(sure.id)).toMatchObject({ state: 'succeeded', result: { uuid: other.record.uuid } });
  });

  it.each([
    ['somebody blocked its destruction', { blocked_operations: { destroy: 'ask the owner' } }, 'ask the owner'],
    ['somebody did so without a word', { blocked_operations: { destroy: '' } }, 'no reason given'],
    ['it has snapshots', { snapshots: ['OpaqueRef:snapshot'] }, 'snapshots'],
    ['it is a control domain', { is_control_domain: true }, 'control domain'],
  ])('refuses when %s, before anything is touched', async (_what, fields, words) => {
    const name = `guarded-${words.length}`;
    await deployed(name);
    const vm = [...site.lab.world.store.entries('VM')].find((one) => one.record.name_label === name);
    if (vm === undefined) throw new Error(`no VM called ${name}`);
    site.lab.world.store.update('VM', vm.ref, fields);
    const before = site.lab.snapshot();
    const { id } = await site.request('delete-vm', { pool: 'ams1', name });
    const run = await site.ended(id);
    expect(run).toMatchObject({ state: 'failed', failure: { code: 'VM_PROTECTED' } });
    expect(run.failure?.message).toContain(words);
    expect(site.lab.diff(before)).toEqual([]);
  });
});
