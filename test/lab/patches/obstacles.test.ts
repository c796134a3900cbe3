import { describe, expect, it } from '@jest/globals';
import { patchFile, updateIso } from '../../../lab/patching/update-file.ts';
import type { UpdateInfo } from '../../../lab/patching/update-info.ts';
import { plainUpdate } from '../../../lab/patching/update-info.ts';
import { poolOf } from '../../../lab/scenario.ts';
import { freshProduct } from './product-lab.ts';
import { openSession, put } from './upload.ts';

const uuid = '6f0a1b52-0000-4650-8009-65e009000009';
const about = { ...plainUpdate, uuid, sizeBytes: 1024, guidance: [] };
const limits = { qos_algorithm_type: '', qos_algorithm_params: {}, other_config: {} };

/** A VM that runs on the host with a medium in its drive. */
async function runWithMedium(call: ReturnType<typeof freshProduct>['call'], host: string): Promise<string> {
  const [template] = await call<string[]>('VM.get_by_name_label', 'debian-12');
  const [sr] = await call<string[]>('SR.get_by_name_label', 'shared');
  const vm = await call('VM.clone', template, 'web-1');
  await call('VM.provision', vm);
  const kept = { sharable: false, read_only: true, other_config: {}, name_description: '' };
  const medium = await call('VDI.create', { name_label: 'iso', SR: sr, virtual_size: 1024, type: 'user', ...kept });
  const drive = { VM: vm, VDI: medium, userdevice: '3', bootable: false, mode: 'RO', type: 'CD', empty: false };
  const vbd = await call('VBD.create', { ...drive, unpluggable: false, ...limits });
  await call('VM.start_on', vm, host, false, false);
  return vbd;
}

describe('a patch of XenServer 6.5', () => {
  const { lab, call, refusal, taskEnd } = freshProduct(poolOf('xenserver-6.5'));

  async function upload(change: Partial<UpdateInfo>): Promise<string> {
    const content = patchFile({ ...about, name: 'XS65E009', ...change });
    const task = await call('task.create', 'upload', '');
    await put(lab(), {
      path: '/pool_patch_upload',
      query: { session_id: await openSession(lab()), task_id: task },
      content,
    });
    return (await taskEnd(task)).result;
  }
  const host = () => lab().world.pool.master;

  it('is refused on a host of another build, with both builds', async () => {
    const patch = await upload({ forBuild: '99999c' });
    const { build_number: build } = await call<Record<string, string>>('host.get_software_version', host());
    const wrong = ['PATCH_PRECHECK_FAILED_WRONG_SERVER_BUILD', patch, build, '99999c'];
    expect(await refusal('pool_patch.precheck', patch, host())).toEqual(wrong);
    expect(await refusal('pool_patch.apply', patch, host())).toEqual(wrong);
    expect(await call('host.get_patches', host())).toEqual([]);
  });

  it('is refused while a VM of the host has a medium in its drive, and taken when it is ejected', async () => {
    const patch = await upload({ needsNoIso: true });
    const vbd = await runWithMedium(call, host());
    expect(await refusal('pool_patch.precheck', patch, host())).toEqual(['PATCH_PRECHECK_FAILED_ISO_MOUNTED', patch]);
    await call('VBD.eject', vbd);
    expect(await call('pool_patch.precheck', patch, host())).toBe('');
  });
});

describe('an update of XenServer 8.2', () => {
  const { lab, call, refusal, taskEnd } = freshProduct(poolOf('xenserver-8.2'));

  async function introduce(change: Partial<UpdateInfo>): Promise<string> {
    const content = updateIso({ ...about, name: 'XS82E009', ...change });
    const [sr] = await call<string[]>('SR.get_by_name_label', 'shared');
    const disk = { name_label: 'update', name_description: '', type: 'user', sharable: false, read_only: false };
    const vdi = await call('VDI.create', { ...disk, SR: sr, virtual_size: content.length, other_config: {} });
    const task = await call('task.create', 'upload', '');
    const query = { vdi, format: 'raw', session_id: await openSession(lab()), task_id: task };
    await put(lab(), { path: '/import_raw_vdi', query, content });
    await taskEnd(task);
    return call('pool_update.introduce', vdi);
  }
  const host = () => lab().world.pool.master;

  it('has no code of its own for a wrong build or a medium in a drive', async () => {
    const update = await introduce({ forBuild: 'other' });
    const unknown = 'UPDATE_PRECHECK_FAILED_UNKNOWN_ERROR';
    expect(await refusal('pool_update.precheck', update, host())).toEqual([unknown, update, 'WRONG_SERVER_BUILD']);
    await call('pool_update.destroy', update);
    const other = await introduce({ needsNoIso: true });
    await runWithMedium(call, host());
    expect(await refusal('pool_update.precheck', other, host())).toEqual([unknown, other, 'ISO_MOUNTED']);
  });
});
