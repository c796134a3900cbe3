import type { Ref } from '../../adapters/xapi/ref.ts';
import type { Xapi } from '../../adapters/xapi/xapi.ts';
import type { PlannedDisk, VmIdentity } from '../../domain/vm.ts';
import { attachDisk, findTaggedDisk, freeDevices, newDisk, removeTaggedDisks } from '../support/tagged-disks.ts';
import { allOf } from '../support/all-of.ts';
import { createOnce } from '../support/create-once.ts';
import { findVm } from '../support/objects.ts';
import { step } from '../step.ts';
import type { StepContext } from '../step.ts';

interface CreateDisks {
  readonly vm: VmIdentity;
  readonly disks: readonly PlannedDisk[];
}

/**
 * Makes the disks beside the template's own and attaches them, all at once.
 * Repeating it is safe: each disk carries our tag and its place from the creating call on, and a device takes one disk.
 * Undo finds the disks by name and tag, detaches and destroys them.
 */
export const createDisks = step<CreateDisks, readonly { readonly uuid: string }[]>({
  name: 'createDisks',
  find: (_ctx, { disks }) => Promise.resolve(disks.length === 0 ? [] : undefined),
  async do(ctx, { vm, disks }) {
    const xapi = ctx.pools.get(vm.pool);
    const vmRef = await xapi.refOf('VM', vm.uuid);
    await ctx.owe(
      disks.map((disk, index) => ({ kind: 'VDI', id: keyOf(ctx, index), name: nameOf(vm, disk), duty: 'remove' })),
    );
    const devices = await freeDevices(ctx, xapi, vmRef);
    return allOf(
      disks.map((disk, index) =>
        createDisk(ctx, xapi, vmRef, { ...disk, name: nameOf(vm, disk) }, keyOf(ctx, index), devices[index]),
      ),
    );
  },
  async undo(ctx, { vm, disks }) {
    const xapi = ctx.pools.get(vm.pool);
    const vmRef = await findVm(xapi, vm.uuid);
    await removeTaggedDisks(
      ctx,
      xapi,
      vmRef,
      disks.map((disk) => nameOf(vm, disk)),
    );
  },
});

async function createDisk(
  ctx: StepContext,
  xapi: Xapi,
  vm: Ref<'VM'>,
  disk: PlannedDisk,
  key: string,
  device: string | undefined,
): Promise<{ uuid: string }> {
  const sr = await xapi.refOf('SR', disk.srUuid);
  const spec = newDisk(ctx, { name: disk.name, sr, sizeBytes: disk.sizeBytes, key });
  const vdi = await createOnce(ctx, xapi, key, () => findTaggedDisk(ctx, xapi, disk.name, key), 'VDI.create', spec);
  return attachDisk(ctx, xapi, vm, vdi, device);
}

function nameOf(vm: VmIdentity, disk: PlannedDisk): string {
  return `${vm.name} ${disk.name}`;
}

/** Two disks of one VM may have the same name: their place in the request tells them apart. */
function keyOf(ctx: StepContext, index: number): string {
  return `${ctx.step}/${index}`;
}
