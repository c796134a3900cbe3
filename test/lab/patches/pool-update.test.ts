import { describe, expect, it } from '@jest/globals';
import { startControl } from '../../../lab/control.ts';
import { afterHostStart } from '../../../lab/patching/guidances.ts';
import { updateIso } from '../../../lab/patching/update-file.ts';
import type { UpdateInfo } from '../../../lab/patching/update-info.ts';
import { poolOf } from '../../../lab/scenario.ts';
import { freshProduct } from './product-lab.ts';
import { openSession, put } from './upload.ts';

const { lab, call, refusal, taskEnd } = freshProduct(poolOf('xenserver-8.2'));

function infoAt(at: number): UpdateInfo {
  const info = lab().world.vendor.files[at];
  if (info === undefined) throw new Error(`the catalogue has no entry ${at}`);
  return info;
}

/** A disk with the content on it, as clients bring an update's ISO to a pool. */
async function diskWith(content: Buffer): Promise<string> {
  const [sr] = await call<string[]>('SR.get_by_name_label', 'shared');
  const about = { name_label: 'update', name_description: '', type: 'user', sharable: false, read_only: false };
  const vdi = await call('VDI.create', { ...about, SR: sr, virtual_size: content.length, other_config: {} });
  const task = await call('task.create', 'upload', '');
  const query = { vdi, format: 'raw', session_id: await openSession(lab()), task_id: task };
  await put(lab(), { path: '/import_raw_vdi', query, content });
  expect((await taskEnd(task)).status).toBe('success');
  return vdi;
}

const introduce = async (at: number) => call('pool_update.introduce', await diskWith(updateIso(infoAt(at))));
const hostRefs = () => lab().world.store.refs('host');

describe('pool_update on XenServer 8.2', () => {
  it('is introduced from its disk, once, and stands as a patch too', async () => {
    const vdi = await diskWith(updateIso(infoAt(0)));
    const update = await call('pool_update.introduce', vdi);
    expect(await call('pool_update.introduce', vdi)).toBe(update);
    const other = await diskWith(updateIso(infoAt(0)));
    expect(await refusal('pool_update.introduce', other)).toEqual(['UPDATE_ALREADY_EXISTS', infoAt(0).uuid]);
    const record = await call<Record<string, unknown>>('pool_update.get_record', update);
    expect(record).toMatchObject({ uuid: infoAt(0).uuid, vdi, hosts: [], after_apply_guidance: ['restartHost'] });
    const [patch] = await call<string[]>('pool_patch.get_all');
    expect(await call('pool_patch.get_pool_update', patch)).toBe(update);
  });

  it('can be fetched from the lab as its vendor would give it out', async () => {
    const control = await startControl(lab(), 0);
    try {
      const listed = (await (await fetch(`${control.url}/update-files`)).json()) as Record<string, { uuid: string }[]>;
      expect(listed['xenserver-8.2']?.map(({ uuid }) => uuid)).toContain(infoAt(0).uuid);
      const file = await fetch(`${control.url}/update-files/xenserver-8.2/${infoAt(0).uuid}`);
      const vdi = await diskWith(Buffer.from(await file.arrayBuffer()));
      const update = await call('pool_update.introduce', vdi);
      expect(await call('pool_update.get_uuid', update)).toBe(infoAt(0).uuid);
      expect((await fetch(`${control.url}/update-files/xenserver-8.2/nosuch`)).status).toBe(404);
    } finally {
      await control.close();
    }
  });

  it('is refused when the disk holds no update', async () => {
    const vdi = await diskWith(Buffer.alloc(64 * 1024));
    expect(await refusal('pool_update.introduce', vdi)).toEqual([
      ...['INVALID_UPDATE', 'Please upload a valid package.'],
    ]);
  });

  it('tells before it is applied what a live patch would do, or what is missing', async () => {
    const [host] = hostRefs();
    const live = await introduce(0);
    expect(await call('pool_update.precheck', live, host)).toBe('ok_livepatch_complete');
    const cumulative = await introduce(1);
    expect(await refusal('pool_update.precheck', cumulative, host)).toEqual([
      ...['UPDATE_PRECHECK_FAILED_PREREQUISITE_MISSING', cumulative, infoAt(0).uuid],
    ]);
  });

  it('waits for the reboot that it asks for, and shows the new version after it', async () => {
    const [host = ''] = hostRefs();
    const first = await introduce(0);
    await call('pool_update.apply', first, host);
    expect(await call('host.get_updates_requiring_reboot', host)).toEqual([]);
    const second = await introduce(1);
    await call('pool_update.apply', second, host);
    expect(await refusal('pool_update.apply', second, host)).toEqual(['UPDATE_ALREADY_APPLIED', second]);
    expect(await call('host.get_updates', host)).toEqual([first, second]);
    expect(await call('host.get_updates_requiring_reboot', host)).toEqual([second]);
    const version = async () =>
      (await call<Record<string, string>>('host.get_software_version', host))['product_version_text'];
    expect(await version()).toBe('8.2 LTSR');
    afterHostStart(lab().world, host, true);
    expect(await call('host.get_updates_requiring_reboot', host)).toEqual([]);
    expect(await version()).toBe('8.2 CU1');
  });

  it('is tried on every host by pool_apply, which names the hosts that failed', async () => {
    const [, second = ''] = hostRefs();
    const update = await introduce(2);
    const error = ['UPDATE_APPLY_FAILED', 'yum: no space left on device'] as const;
    lab().plan({ method: 'pool_update.apply', object: second, kind: 'refused', error: [...error] });
    expect(await refusal('pool_update.pool_apply', update)).toEqual(['UPDATE_POOL_APPLY_FAILED', second]);
    expect(await call<string[]>('pool_update.get_hosts', update)).toHaveLength(2);
    await call('pool_update.pool_apply', update);
    expect(await refusal('pool_update.pool_apply', update)).toEqual(['UPDATE_ALREADY_APPLIED_IN_POOL', update]);
    expect(await refusal('pool_update.destroy', update)).toEqual(['UPDATE_IS_APPLIED']);
  });

  it('leaves no disk when it is cleaned, and cannot be applied without one', async () => {
    const [host] = hostRefs();
    const update = await introduce(0);
    const vdi = await call('pool_update.get_vdi', update);
    await call('pool_update.pool_clean', update);
    expect(await refusal('VDI.get_uuid', vdi)).toEqual(['HANDLE_INVALID', 'VDI', vdi]);
    expect(await refusal('pool_update.precheck', update, host)).toEqual(['CANNOT_FIND_UPDATE']);
    await call('pool_update.destroy', update);
    expect(await call('pool_update.get_all')).toEqual([]);
    expect(await call('pool_patch.get_all')).toEqual([]);
  });

  it('takes the uploads of old clients and answers their pool_patch calls', async () => {
    const task = await call('task.create', 'upload', '');
    const query = { session_id: await openSession(lab()), task_id: task };
    await put(lab(), { path: '/pool_patch_upload', query, content: updateIso(infoAt(0)) });
    const patch = (await taskEnd(task)).result;
    const [host] = hostRefs();
    expect(await call('pool_patch.precheck', patch, host)).toBe('');
    await call('pool_patch.apply', patch, host);
    expect((await refusal('pool_patch.precheck', patch, host))[0]).toBe('UPDATE_ALREADY_APPLIED');
    expect(await call<string[]>('host.get_updates', host)).toHaveLength(1);
    expect(await call<string[]>('host.get_patches', host)).toHaveLength(1);
  });

  it('needs a default SR for those uploads', async () => {
    lab().world.store.update('pool', lab().world.pool.ref, { default_SR: 'OpaqueRef:NULL' });
    const task = await call('task.create', 'upload', '');
    const query = { session_id: await openSession(lab()), task_id: task };
    await put(lab(), { path: '/pool_patch_upload', query, content: updateIso(infoAt(0)) });
    expect((await taskEnd(task)).error_info).toEqual(['DEFAULT_SR_NOT_FOUND', 'OpaqueRef:NULL']);
  });

  it('sends an upload for a storage that another host has on to that host', async () => {
    const [local = ''] = await call<string[]>('SR.get_by_name_label', 'local-h1');
    const query = { session_id: await openSession(lab()), sr_id: local };
    const answer = await put(lab(), { path: '/pool_patch_upload', query, content: updateIso(infoAt(0)), host: 1 });
    expect(answer.status).toBe(302);
    expect(answer.headers.get('location')).toContain(`//${lab().pools[0]?.hostAddresses[0] ?? ''}:`);
  });
});
