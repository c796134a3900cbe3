import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateHostKey } from '../../adapters/ssh/host-key.ts';
import { runOverSsh } from '../../adapters/ssh/run.ts';
import type { DeployVmResult } from '../../domain/operations.ts';
import { eventually } from '../support/eventually.ts';
import { startSite } from '../support/site.ts';
import type { Site } from '../support/site.ts';

let site: Site;
beforeAll(async () => {
  site = await startSite();
});
afterAll(() => site.stop());

const smallVm = (name: string) => ({ pool: 'ams1', name, template: 'debian-12', networks: ['tenant'] });

async function deploy(input: Record<string, unknown>) {
  return site.ended((await site.request('deploy-vm', input)).id);
}

describe('deploying a VM', () => {
  it('ends with a VM that answers SSH with the key made for it and lets the operator in', async () => {
    const operator = generateHostKey();
    const run = await deploy({
      ...smallVm('web-01'),
      ...{ vcpus: 4, memoryMiB: 2048, networks: ['tenant', 'storage'] },
      disks: [
        { name: 'data', sizeGiB: 5 },
        { name: 'log', sizeGiB: 1, sr: 'shared' },
      ],
      sshAuthorizedKeys: [operator.publicKey],
    });
    expect(run).toMatchObject({ state: 'succeeded', failure: undefined });
    const vm = run.result as DeployVmResult;
    const typed = (command: string) =>
      runOverSsh({
        ...{ address: vm.address, port: vm.sshPort, user: 'debian', privateKey: operator.privateKey },
        ...{ expectedPublicKey: vm.hostPublicKey, command, timeoutMs: 10_000 },
      });
    expect((await typed('hostname')).trim()).toBe('web-01');
    await expect(typed('no-such-command')).rejects.toThrow('no-such-command ended with 127');
    const record = [...site.lab.world.store.entries('VM')].find((one) => one.record.uuid === vm.uuid)?.record;
    expect(record).toMatchObject({ VCPUs_max: 4, memory_static_max: 2048 * 1024 * 1024, is_a_template: false });
    expect(record?.VBDs).toHaveLength(4);
    expect(record?.VIFs).toHaveLength(2);
  });

  it('costs no more than 90 events of history', async () => {
    const run = await deploy(smallVm('events'));
    const history = await site.temporal.workflow.getHandle(run.workflowId).fetchHistory();
    expect(history.events?.length).toBeLessThanOrEqual(90);
  });

  it.each([
    ['a template that does not exist', { template: 'debian-99' }, 'TEMPLATE_NOT_FOUND'],
    [
      'a template by a uuid that nothing has',
      { template: '00000000-0000-0000-0000-00000000000a' },
      'TEMPLATE_NOT_FOUND',
    ],
    ['a network that does not exist', { networks: ['tenant', 'nowhere'] }, 'NETWORK_NOT_FOUND'],
    ['storage that does not exist', { disks: [{ name: 'data', sizeGiB: 1, sr: 'nowhere' }] }, 'SR_NOT_FOUND'],
    ['a pool that nobody registered', { pool: 'lon9' }, 'POOL_UNKNOWN'],
  ])('names %s and touches nothing', async (_what, part, code) => {
    const before = site.lab.snapshot();
    const run = await deploy({ ...smallVm('wrong'), ...part });
    expect(run).toMatchObject({ state: 'failed', failure: { code } });
    expect(site.lab.diff(before)).toEqual([]);
  });

  it('shows per host why the VM does not fit', async () => {
    const run = await deploy({ ...smallVm('huge'), memoryMiB: 64 * 1024 });
    expect(run.failure?.code).toBe('NO_HOST_FITS');
    expect(run.failure?.reasons?.map((row) => row.object).sort()).toEqual(['ams1-h1', 'ams1-h2', 'ams1-h3']);
    expect(run.failure?.message).toContain('MiB needed');
  });

  it('refuses a name that is taken', async () => {
    await deploy(smallVm('taken'));
    const run = await deploy(smallVm('taken'));
    expect(run).toMatchObject({ state: 'failed', failure: { code: 'NAME_TAKEN' } });
  });

  it('leaves nothing behind when the storage is full', async () => {
    const before = site.lab.snapshot();
    const run = await deploy({ ...smallVm('big'), disks: [{ name: 'data', sizeGiB: 2000 }] });
    expect(run).toMatchObject({ state: 'failed', failure: { code: 'STORAGE_FULL' } });
    expect(site.lab.diff(before)).toEqual([]);
  });

  it('undoes everything when the guest never boots, and says which step waited in vain', async () => {
    const before = site.lab.snapshot();
    site.lab.plan({ method: 'guest.boot', object: 'mute', kind: 'never-boots' });
    const run = await deploy({ ...smallVm('mute'), addressTimeoutSeconds: 1 });
    expect(run).toMatchObject({ state: 'failed', failure: { code: 'GUEST_NO_ADDRESS' } });
    expect(site.lab.diff(before)).toEqual([]);
    const ledger = await site.store.ledger(run.id);
    expect(ledger.filter((row) => row.state === 'owed')).toEqual([]);
  });

  it('goes on by itself when the pool drops connections in the middle', async () => {
    const cut = site.lab.plan({ method: 'VM.provision', object: 'shaky', kind: 'cut', times: 2 });
    const run = await deploy(smallVm('shaky'));
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(cut.fired).toBe(2);
  });

  it('refuses to work beside another run on the same name, and names the owner', async () => {
    const barrier = site.lab.hold({ method: 'VM.start', object: 'twice', at: 'before-effect' });
    const first = await site.request('deploy-vm', smallVm('twice'));
    await barrier.reached;
    const second = await deploy(smallVm('twice'));
    barrier.release();
    expect(second).toMatchObject({ state: 'failed', failure: { code: 'RESOURCE_LOCKED', ownerRunId: first.id } });
    expect(await site.ended(first.id)).toMatchObject({ state: 'succeeded' });
  });

  it('undoes everything when it is cancelled in the middle', async () => {
    const before = site.lab.snapshot();
    const barrier = site.lab.hold({ method: 'VDI.create', object: 'stopped config-drive', at: 'before-effect' });
    const { id } = await site.request('deploy-vm', smallVm('stopped'));
    await barrier.reached;
    const run = await site.reaches(id, 'running');
    expect(await site.engine.cancel(run, 'tester')).toContain('undone');
    barrier.release();
    expect(await site.ended(id)).toMatchObject({ state: 'cancelled' });
    expect(site.lab.diff(before)).toEqual([]);
  });

  it('shows as cancelled in the list of Temporal too', async () => {
    const barrier = site.lab.hold({ method: 'VM.start', object: 'listed', at: 'before-effect' });
    const { id } = await site.request('deploy-vm', smallVm('listed'));
    await barrier.reached;
    const run = await site.reaches(id, 'running');
    await site.engine.cancel(run, 'tester');
    barrier.release();
    expect(await site.ended(id)).toMatchObject({ state: 'cancelled' });
    const { status } = await eventually(
      () => site.temporal.workflow.getHandle(run.workflowId).describe(),
      (workflow) => workflow.status.name !== 'RUNNING',
      `workflow ${run.workflowId} closes`,
    );
    expect(status.name).toBe('CANCELLED');
  });

  it('leaves no task of an upload whose worker never learnt of it, be it done again or cancelled', async () => {
    site.lab.plan({ method: 'task.create', kind: 'reply-lost' });
    expect(await deploy(smallVm('again'))).toMatchObject({ state: 'succeeded' });

    const lost = site.lab.plan({ method: 'task.create', kind: 'reply-lost' });
    const barrier = site.lab.hold({ method: 'task.get_all_records', nth: 1, at: 'before-effect' });
    const { id } = await site.request('deploy-vm', smallVm('given-up'));
    await barrier.reached;
    await site.engine.cancel(await site.reaches(id, 'running'), 'tester');
    barrier.release();
    expect(await site.ended(id)).toMatchObject({ state: 'cancelled' });
    expect(lost.fired).toBe(1);

    const tasks = [...site.lab.world.store.entries('task')].map(({ record }) => record);
    expect(tasks.filter(({ status }) => status === 'pending').map((task) => task.name_description)).toEqual([]);
  });
});
