import { afterAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { openDatabase } from '../../adapters/postgres/database.ts';
import type { RunRow } from '../../adapters/postgres/rows.ts';
import { connectTo, knownByAnother, templateOf } from '../adapters/xapi/support.ts';
import { eventually } from '../support/eventually.ts';
import { startSite } from '../support/site.ts';

const site = await startSite();
/** Of somebody who works on the pool beside us. */
const xapi = connectTo(site.lab);
afterAll(() => site.stop());

async function start(name: string, part: Record<string, unknown> = {}): Promise<string> {
  const input = { pool: 'ams1', name, template: 'debian-12', networks: ['tenant'], ...part };
  return (await site.request('deploy-vm', input)).id;
}

async function deploy(name: string, part: Record<string, unknown> = {}): Promise<RunRow> {
  return site.ended(await start(name, part));
}

async function onEveryHost(method: 'host.enable' | 'host.disable'): Promise<void> {
  for (const host of await xapi.call('host.get_all')) await xapi.call(method, host);
}

/** What the attempts of a run failed with, in their order. */
async function failuresOf(id: string) {
  return (await site.store.events(id, 0)).flatMap(({ failure }) => failure ?? []);
}

async function isAt(id: string, step: string): Promise<void> {
  const get = () => site.store.get(id);
  await eventually(get, (run) => run?.currentStep === step, `run ${id} is at ${step}`);
}

describe('deploying into a pool that changes meanwhile', () => {
  it('refuses nobody for what was true of the hosts a moment ago', async () => {
    await onEveryHost('host.disable');
    expect(await deploy('too-early')).toMatchObject({ state: 'failed', failure: { code: 'NO_HOST_FITS' } });
    await onEveryHost('host.enable');
    expect(await deploy('in-time')).toMatchObject({ state: 'succeeded' });
  });

  it('says per host why not when the last host goes between the placing and the start', async () => {
    const before = site.lab.snapshot();
    const barrier = site.lab.hold({ method: 'VM.start', object: 'too-late', at: 'before-effect' });
    const id = await start('too-late');
    await barrier.reached;
    await onEveryHost('host.disable');
    barrier.release();
    const { state, failure } = await site.ended(id);
    await onEveryHost('host.enable');
    expect({ state, code: failure?.code }).toEqual({ state: 'failed', code: 'NO_HOST_FITS' });
    expect(failure?.reasons).toContainEqual({ object: 'ams1-h1', reason: 'disabled (maintenance)' });
    expect(site.lab.diff(before).filter(({ cls }) => cls !== 'host')).toEqual([]);
  });

  it('tries again when the hosts have room again by the time that it asks why they had none', async () => {
    site.lab.plan({ method: 'VM.start', object: 'lucky', kind: 'refused', error: ['NO_HOSTS_AVAILABLE'] });
    const id = await start('lucky');
    expect(await site.ended(id)).toMatchObject({ state: 'succeeded', failure: undefined });
    expect(await failuresOf(id)).toMatchObject([
      { code: 'POOL_BUSY', message: expect.stringContaining('fits now: the pool changed at that moment') },
    ]);
  });

  it('shows a host that is down as such', async () => {
    const [host = ''] = await xapi.call('host.get_by_name_label', 'ams1-h3');
    await xapi.call('host.disable', host);
    await xapi.call('host.shutdown', host);
    const { failure } = await deploy('nowhere', { memoryMiB: 64 * 1024 });
    expect(failure?.reasons).toContainEqual({ object: 'ams1-h3', reason: 'not live (down, rebooting or cut off)' });
    site.lab.host('ams1-h3').powerOn();
    await eventually(
      () => xapi.call('host.get_enabled', host),
      (isEnabled) => isEnabled,
      'ams1-h3 is back',
    );
  });

  it('names a template that has no disk to boot from', async () => {
    const clone = await xapi.call('VM.clone', await templateOf(xapi), 'diskless');
    for (const vbd of await xapi.call('VM.get_VBDs', clone)) await xapi.call('VBD.destroy', vbd);
    const run = await deploy('no-boot', { template: 'diskless' });
    expect(run).toMatchObject({ state: 'failed', failure: { code: 'POOL_REFUSED', object: 'template diskless' } });
  });

  it('takes no VM for a template', async () => {
    const run = await deploy('copy', { template: 'in-time' });
    expect(run).toMatchObject({ state: 'failed', failure: { code: 'TEMPLATE_NOT_FOUND' } });
  });

  it('says when somebody stops the VM while it boots', async () => {
    site.lab.plan({ method: 'guest.boot', object: 'stopped', kind: 'never-boots' });
    const id = await start('stopped');
    await isAt(id, 'waitForAddress');
    const [vm = ''] = await xapi.call('VM.get_by_name_label', 'stopped');
    await xapi.call('VM.hard_shutdown', vm);
    const { failure } = await site.ended(id);
    expect(failure).toMatchObject({
      code: 'GUEST_NO_ADDRESS',
      message: expect.stringContaining('stopped while it was'),
    });
  });

  it('takes back the rest when somebody removes the VM meanwhile, and says that it is gone', async () => {
    const before = site.lab.snapshot();
    site.lab.plan({ method: 'guest.boot', object: 'removed', kind: 'never-boots' });
    const id = await start('removed', { disks: [{ name: 'data', sizeGiB: 1 }] });
    await isAt(id, 'waitForAddress');
    const [vm = ''] = await xapi.call('VM.get_by_name_label', 'removed');
    await xapi.call('VM.hard_shutdown', vm);
    await xapi.call('VM.destroy', vm);
    expect(await site.ended(id)).toMatchObject({ state: 'failed', failure: { code: 'OBJECT_GONE' } });
    expect(site.lab.diff(before)).toEqual([]);
  });

  it('takes back what a step may have done that does not end in its time, and says which one it was', async () => {
    const before = site.lab.snapshot();
    const barrier = site.lab.hold({ method: 'VM.clone', at: 'before-effect' });
    const input = { pool: 'ams1', name: 'endless', template: 'debian-12', networks: ['tenant'] };
    const { id } = await site.request('deploy-vm', input, { slowStepBudgetMs: 1_000, undoBudgetMs: 30_000 });
    await isAt(id, 'cloneVm.undo');
    barrier.release();
    expect(await site.ended(id)).toMatchObject({
      state: 'failed',
      failure: { code: 'STEP_TIMEOUT', message: expect.stringMatching(/^cloneVm: no answer in time/) },
    });
    expect(site.lab.diff(before)).toEqual([]);
  });

  it('goes on when the pool was restored and knows its objects by other references', async () => {
    await deploy('before');
    const [tenant = ''] = await xapi.call('network.get_by_name_label', 'tenant');
    const { store } = site.lab.world;
    const { PIFs: hostSides, VIFs: guestSides } = store.get('network', tenant);
    const network = knownByAnother(site.lab, 'network', tenant);
    for (const pif of hostSides) store.update('PIF', pif, { network });
    for (const vif of guestSides) store.update('VIF', vif, { network });
    const id = await start('after');
    expect(await site.ended(id)).toMatchObject({ state: 'succeeded', failure: undefined });
    expect(await failuresOf(id)).toMatchObject([
      { code: 'STATE_CONFLICT', native: { code: 'HANDLE_INVALID', params: ['network', tenant] } },
    ]);
  });
});

describe('deploying while the installation changes', () => {
  it('hands the step over from a worker that is stopped to the next, which finds the task under way', async () => {
    const barrier = site.lab.hold({ method: 'VM.clone', at: 'before-effect' });
    const id = await start('handed-over');
    await barrier.reached;
    await site.replaceWorker();
    barrier.release();
    expect(await site.ended(id)).toMatchObject({ state: 'succeeded', failure: undefined });
    expect(await failuresOf(id)).toMatchObject([
      { code: 'POOL_BUSY', message: 'The worker shut down during cloneVm.' },
    ]);
    const clones = site.lab.calls({ method: 'VM.clone' }).filter(({ params }) => JSON.stringify(params).includes(id));
    expect(clones).toHaveLength(1);
  });

  it('repeats a step that fails in a way nobody foresaw, and shows none of its words, which may hold a secret', async () => {
    const database = openDatabase(site.databaseUrl, 1);
    await sql`ALTER TABLE ledger RENAME TO mislaid`.execute(database.db);
    const id = await start('unforeseen');
    const failed = await eventually(
      () => failuresOf(id),
      (failures) => failures.length > 0,
      'an attempt has failed',
    );
    await sql`ALTER TABLE mislaid RENAME TO ledger`.execute(database.db);
    await database.close();
    expect(failed[0]).toEqual({ code: 'BUG', message: "Unexpected error in step cloneVm; the worker's log has it." });
    expect(await site.ended(id)).toMatchObject({ state: 'succeeded', failure: undefined });
  });
});
