import { describe, expect, it } from '@jest/globals';
import { poolOf } from '../../../lab/scenario.ts';
import { patchFile } from '../../../lab/patching/update-file.ts';
import type { UpdateInfo } from '../../../lab/patching/update-info.ts';
import { connectXenApi } from '../full-xen-api.ts';
import { freshProduct } from './product-lab.ts';
import { openSession, put } from './upload.ts';

const { lab, call, refusal, async: asyncCall, taskEnd } = freshProduct(poolOf('xenserver-6.5'));

const catalogue = (): readonly UpdateInfo[] => lab().world.vendor.files;

async function uploadTask(content: Buffer, host?: number): Promise<string> {
  const task = await call('task.create', 'upload', '');
  const query = { session_id: await openSession(lab()), task_id: task };
  await put(lab(), { path: '/pool_patch_upload', query, content, ...(host === undefined ? {} : { host }) });
  return task;
}

async function upload(at: number): Promise<string> {
  const info = catalogue()[at];
  if (info === undefined) throw new Error(`the catalogue has no entry ${at}`);
  const { status, result, error_info: error } = await taskEnd(await uploadTask(patchFile(info)));
  expect([status, error]).toEqual(['success', []]);
  return result;
}

const hosts = () => call<string[]>('host.get_all').then((refs) => [...refs].sort());

describe('pool_patch on XenServer 6.5', () => {
  it('takes a file, whose task ends with the bare reference of the patch, and applies it to the pool', async () => {
    const patch = await upload(0);
    expect(await call('pool_patch.get_after_apply_guidance', patch)).toEqual(['restartHost']);
    const [first] = await hosts();
    expect(await call('pool_patch.precheck', patch, first)).toBe('');
    await call('pool_patch.apply', patch, first);
    expect(await refusal('pool_patch.apply', patch, first)).toEqual(['PATCH_ALREADY_APPLIED', patch]);
    expect((await asyncCall('pool_patch.pool_apply', patch)).status).toBe('success');
    for (const host of await hosts()) {
      const [applied] = await call<string[]>('host.get_patches', host);
      expect(await call('host_patch.get_record', applied)).toMatchObject({ pool_patch: patch, applied: true, host });
    }
    expect(await call('pool_patch.get_pool_applied', patch)).toBe(true);
    expect(await refusal('pool_patch.destroy', patch)).toEqual(['PATCH_IS_APPLIED']);
  });

  it('answers a missing prerequisite as XML in a successful precheck, and fails to apply with the same', async () => {
    const patch = await upload(1);
    const [host] = await hosts();
    const uuid = catalogue()[0]?.uuid ?? '';
    const xml = `<error errorcode="PATCH_PRECHECK_FAILED_PREREQUISITE_MISSING"><prerequisite uuid="${uuid}"/></error>`;
    expect(await call('pool_patch.precheck', patch, host)).toBe(xml);
    expect(await refusal('pool_patch.apply', patch, host)).toEqual(['PATCH_APPLY_FAILED', xml]);
  });

  it('refuses a second upload until the file is cleaned, and then takes it for the same patch', async () => {
    const patch = await upload(0);
    const [info] = catalogue();
    if (info === undefined) throw new Error('the catalogue is empty');
    const again = await taskEnd(await uploadTask(patchFile(info)));
    expect(again.error_info).toEqual(['PATCH_ALREADY_EXISTS', info.uuid]);
    await call('pool_patch.pool_clean', patch);
    const [host] = await hosts();
    expect(await refusal('pool_patch.precheck', patch, host)).toEqual(['CANNOT_FIND_PATCH']);
    expect(await upload(0)).toBe(patch);
    expect(await call('pool_patch.precheck', patch, host)).toBe('');
  });

  it('cannot find the file any more once another host is the coordinator', async () => {
    const patch = await upload(0);
    const { ref, master } = lab().world.pool;
    const other = lab()
      .world.store.records('host')
      .find(([host]) => host !== master);
    if (other === undefined) throw new Error('the pool has one host only');
    lab().world.store.update('pool', ref, { master: other[0] });
    const xapi = await connectXenApi(lab(), false, other[1].address);
    await expect(xapi.call('pool_patch.apply', patch, master)).rejects.toMatchObject({ code: 'CANNOT_FIND_PATCH' });
    lab().world.store.update('pool', ref, { master });
    await xapi.disconnect();
    expect(await call('pool_patch.precheck', patch, master)).toBe('');
  });

  it('says what is in the way: running VMs, the wrong version, no room', async () => {
    const patch = await upload(2);
    const [host] = await hosts();
    const [template] = await call<string[]>('VM.get_by_name_label', 'debian-12');
    const vm = await call('VM.clone', template, 'busy');
    await call('VM.provision', vm);
    await call('VM.start_on', vm, host, false, false);
    expect(await refusal('pool_patch.precheck', patch, host)).toEqual(['PATCH_PRECHECK_FAILED_VM_RUNNING', patch]);
    await call('VM.hard_shutdown', vm);
    expect(await call('pool_patch.precheck', patch, host)).toBe('');
    const [info] = catalogue();
    if (info === undefined) throw new Error('the catalogue is empty');
    const foreign = { ...info, uuid: '11111111-2222-4333-8444-555555555555', forVersion: '6.2.0' };
    const wrong = (await taskEnd(await uploadTask(patchFile(foreign)))).result;
    expect(await refusal('pool_patch.precheck', wrong, host)).toEqual([
      ...['PATCH_PRECHECK_FAILED_WRONG_SERVER_VERSION', wrong, '6.5.0', '6.2.0'],
    ]);
    const huge = { ...info, uuid: '11111111-2222-4333-8444-666666666666', sizeBytes: 2 ** 40 };
    expect((await taskEnd(await uploadTask(patchFile(huge)))).error_info).toEqual(['OUT_OF_SPACE', '/var/patch']);
  });

  it('stops pool_apply at the first host that fails, and keeps what was done', async () => {
    const patch = await upload(0);
    const [, second] = await call<string[]>('host.get_all');
    const error = ['PATCH_APPLY_FAILED', 'no space left on device'] as const;
    lab().plan({ method: 'pool_patch.apply', object: second ?? '', kind: 'refused', error: [...error] });
    expect(await refusal('pool_patch.pool_apply', patch)).toEqual([...error]);
    expect(await call('pool_patch.get_pool_applied', patch)).toBe(false);
    await call('pool_patch.pool_apply', patch);
    expect(await call<string[]>('pool_patch.get_host_patches', patch)).toHaveLength(3);
  });

  it('ends the task as a planned fault says, or says nothing although the patch is there', async () => {
    const [info] = catalogue();
    if (info === undefined) throw new Error('the catalogue is empty');
    const method = 'PUT /pool_patch_upload';
    lab().plan({ method, kind: 'refused', error: ['INVALID_PATCH_WITH_LOG', 'Bad line endings?'] });
    const refused = await taskEnd(await uploadTask(patchFile(info)));
    expect(refused.error_info).toEqual(['INVALID_PATCH_WITH_LOG', 'Bad line endings?']);
    lab().plan({ method, kind: 'reply-lost' });
    await expect(uploadTask(patchFile(info))).rejects.toThrow('fetch failed');
    expect(await call('pool_patch.get_by_uuid', info.uuid)).toMatch(/^OpaqueRef:/);
  });

  it('takes no patch without a length, without credentials, on a member, or what is none', async () => {
    const [info] = catalogue();
    if (info === undefined) throw new Error('the catalogue is empty');
    const content = patchFile(info);
    const anonymous = await put(lab(), { path: '/pool_patch_upload', query: { session_id: 'OpaqueRef:x' }, content });
    expect(anonymous.status).toBe(401);
    const query = { session_id: await openSession(lab()) };
    const member = await put(lab(), { path: '/pool_patch_upload', query, content, host: 1 });
    expect(member.status).toBe(500);
    const junk = await taskEnd(await uploadTask(Buffer.from('not a patch')));
    expect(junk.error_info).toEqual(['INVALID_PATCH']);
  });
});
