import type { VdiSpec } from '../../adapters/xapi/messages.generated.ts';
import type { Ref } from '../../adapters/xapi/ref.ts';
import type { Xapi } from '../../adapters/xapi/xapi.ts';
import { OperationFailure } from '../../domain/errors.ts';
import { carriesRun, carriesTag, tagFor } from '../../domain/tag.ts';
import type { StepContext } from '../step.ts';
import { allOf } from './all-of.ts';
import { settle } from './create-once.ts';
import { isRef, orGone } from './objects.ts';

/** Which of the disks of one step this is. */
const KEY = 'switchboard:key';
/** What every guest can see: 16 devices; 3 is the CD drive by convention. */
const DEVICES = Array.from({ length: 16 }, (_, device) => String(device));
const CD_DEVICE = '3';

interface NewDisk {
  readonly name: string;
  readonly sr: Ref<'SR'>;
  readonly sizeBytes: number;
  readonly key: string;
}

export function newDisk(ctx: StepContext, { name, sr, sizeBytes, key }: NewDisk): VdiSpec & { name_label: string } {
  return {
    name_label: name,
    name_description: `made by run ${ctx.runId}`,
    SR: sr,
    virtual_size: sizeBytes,
    type: 'user',
    sharable: false,
    read_only: false,
    other_config: { ...tagFor(ctx.runId, ctx.step), [KEY]: key },
  };
}

export async function findTaggedDisk(
  ctx: StepContext,
  xapi: Xapi,
  name: string,
  key: string,
): Promise<Ref<'VDI'> | undefined> {
  const tagged = await taggedDisks(ctx, xapi, name);
  return tagged.find((disk) => disk.record.other_config[KEY] === key)?.ref;
}

/**
 * The devices that the template's own disks leave, lowest first; the same in every delivery, since attachments made by
 * this run count as free: a device takes one disk, so that a second attachment is refused by the pool itself.
 */
export async function freeDevices(ctx: StepContext, xapi: Xapi, vm: Ref<'VM'>): Promise<string[]> {
  const vbds = await xapi.call('VM.get_VBDs', vm);
  const records = await Promise.all(vbds.map((vbd) => xapi.call('VBD.get_record', vbd)));
  const taken = records.filter((record) => !carriesRun(record, ctx.runId)).map((record) => record.userdevice);
  return DEVICES.filter((device) => !taken.includes(device) && device !== CD_DEVICE);
}

/** Attaches the disk unless it is; answers its uuid. */
export async function attachDisk(
  ctx: StepContext,
  xapi: Xapi,
  vm: Ref<'VM'>,
  vdi: Ref<'VDI'>,
  userdevice: string | undefined,
): Promise<{ uuid: string }> {
  if (userdevice === undefined)
    throw new OperationFailure('POOL_REFUSED', 'The VM has no device left for another disk.');
  const { uuid, VBDs: vbds } = await xapi.call('VDI.get_record', vdi);
  const owners = await Promise.all(vbds.map((vbd) => xapi.call('VBD.get_VM', vbd)));
  if (owners.includes(vm)) return { uuid };
  await xapi.call('VBD.create', {
    VM: vm,
    VDI: vdi,
    userdevice,
    bootable: false,
    mode: 'RW',
    type: 'Disk',
    unpluggable: true,
    empty: false,
    other_config: tagFor(ctx.runId, ctx.step),
    qos_algorithm_type: '',
    qos_algorithm_params: {},
  });
  return { uuid };
}

/** Takes every disk of this step away again, also one that a late task brings. `vm` is undefined when it is gone already. */
export async function removeTaggedDisks(
  ctx: StepContext,
  xapi: Xapi,
  vm: Ref<'VM'> | undefined,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  await settle(ctx, xapi, 'VDI.create');
  if (vm !== undefined) await destroyTaggedAttachments(ctx, xapi, vm);
  const found = await Promise.all([...new Set(names)].map((name) => taggedDisks(ctx, xapi, name)));
  await allOf(
    found.flat().map(({ ref, record }) => orGone(xapi.task(ctx.memory(`destroy ${record.uuid}`), 'VDI.destroy', ref))),
  );
}

async function destroyTaggedAttachments(ctx: StepContext, xapi: Xapi, vm: Ref<'VM'>): Promise<void> {
  const vbds = (await orGone(xapi.call('VM.get_VBDs', vm))) ?? [];
  for (const vbd of vbds.filter(isRef)) {
    const record = await orGone(xapi.call('VBD.get_record', vbd));
    if (record !== undefined && carriesTag(record, ctx.runId, ctx.step)) await orGone(xapi.call('VBD.destroy', vbd));
  }
}

async function taggedDisks(ctx: StepContext, xapi: Xapi, name: string) {
  const refs = await xapi.call('VDI.get_by_name_label', name);
  const records = await Promise.all(
    refs.map(async (ref) => {
      const record = await orGone(xapi.call('VDI.get_record', ref));
      return record === undefined ? [] : [{ ref, record }];
    }),
  );
  return records.flat().filter(({ record }) => carriesTag(record, ctx.runId, ctx.step));
}
