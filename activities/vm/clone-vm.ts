import type { Ref } from '../../adapters/xapi/ref.ts';
import type { Xapi } from '../../adapters/xapi/xapi.ts';
import { carriesVmTag, markFor, tagForVm } from '../../domain/tag.ts';
import type { VmIdentity } from '../../domain/vm.ts';
import { createOnce, settle } from '../support/create-once.ts';
import { destroyVdis } from '../support/destroy-vdis.ts';
import { disksOf, orGone } from '../support/objects.ts';
import { step } from '../step.ts';
import type { StepContext } from '../step.ts';

interface CloneVm {
  readonly pool: string;
  readonly name: string;
  readonly templateUuid: string;
}

/**
 * Makes the VM as a clone of the template (copy-on-write disks on the template's storage).
 * Repeating it is safe: the clone is born with a name that only this run uses, then gets our tag with its own uuid (a
 * template's other_config is copied, so a tag alone may be inherited), then its real name. Whatever a delivery left half
 * done, the next one finds by the first name and completes.
 * Undo waits for a clone that is still under way, then destroys the VM and its cloned disks: they carry no tag and
 * outlive their VM, so they are in the ledger before the VM goes.
 */
export const cloneVm = step<CloneVm, VmIdentity>({
  name: 'cloneVm',
  async find(ctx, input) {
    const vm = await findFinished(ctx, ctx.pools.get(input.pool), input.name);
    return vm === undefined ? undefined : { pool: input.pool, uuid: vm.uuid, name: input.name };
  },

  async do(ctx, { pool, name, templateUuid }) {
    const xapi = ctx.pools.get(pool);
    const born = markFor(ctx.runId, ctx.step);
    await ctx.owe([{ kind: 'VM', id: born, name, duty: 'remove' }]);
    const template = await xapi.refOf('VM', templateUuid);
    const ref = await createOnce(ctx, xapi, 'clone', () => findNewborn(xapi, born), 'VM.clone', template, born);
    const record = await xapi.call('VM.get_record', ref);
    const disks = await disksOf(xapi, record.VBDs);
    await ctx.owe(disks.map((disk) => ({ kind: 'VDI', id: disk.uuid, name: disk.name, duty: 'remove' })));
    const tag = tagForVm(ctx.runId, ctx.step, record.uuid);
    await xapi.call('VM.set_other_config', ref, { ...record.other_config, ...tag });
    await xapi.call('VM.set_name_label', ref, name);
    return { pool, uuid: record.uuid, name };
  },

  async undo(ctx, { pool, name }) {
    const xapi = ctx.pools.get(pool);
    await settle(ctx, xapi, 'VM.clone', 'clone');
    const newborn = await findNewborn(xapi, markFor(ctx.runId, ctx.step));
    const ref = newborn ?? (await findFinished(ctx, xapi, name))?.ref;
    if (ref !== undefined) await destroyClone(ctx, xapi, ref);
    const owed = await ctx.ledger.owed(ctx.runId, ctx.step);
    await destroyVdis(
      ctx,
      xapi,
      owed.filter((entry) => entry.kind === 'VDI'),
    );
  },
});

async function findNewborn(xapi: Xapi, born: string): Promise<Ref<'VM'> | undefined> {
  const [ref] = await xapi.call('VM.get_by_name_label', born);
  return ref;
}

/** The clone once it has its tag and its name: nothing is left to do for it. */
async function findFinished(ctx: StepContext, xapi: Xapi, name: string) {
  const refs = await xapi.call('VM.get_by_name_label', name);
  for (const ref of refs) {
    const record = await orGone(xapi.call('VM.get_record', ref));
    if (record !== undefined && carriesVmTag(record, ctx.runId, ctx.step)) return { ref, uuid: record.uuid };
  }
  return undefined;
}

async function destroyClone(ctx: StepContext, xapi: Xapi, ref: Ref<'VM'>): Promise<void> {
  if ((await ctx.ledger.owed(ctx.runId, ctx.step)).every((entry) => entry.kind !== 'VDI')) {
    // The step died before it wrote its disks down: nobody but us has had this VM yet.
    const disks = await disksOf(xapi, await xapi.call('VM.get_VBDs', ref));
    await ctx.owe(disks.map((disk) => ({ kind: 'VDI', id: disk.uuid, name: disk.name, duty: 'remove' })));
  }
  await orGone(xapi.task(ctx.memory('destroy'), 'VM.destroy', ref));
}
