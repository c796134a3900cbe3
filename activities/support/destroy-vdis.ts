import type { Xapi } from '../../adapters/xapi/xapi.ts';
import type { StepContext } from '../step.ts';
import { allOf } from './all-of.ts';
import { findVdi, orGone } from './objects.ts';

/** Destroys disks by uuid, all at once; a disk that is gone already counts as done. Each is settled in the ledger as it goes. */
export async function destroyVdis(
  ctx: StepContext,
  xapi: Xapi,
  disks: readonly { readonly id: string }[],
): Promise<void> {
  await allOf(disks.map((disk) => destroyVdi(ctx, xapi, disk.id)));
}

async function destroyVdi(ctx: StepContext, xapi: Xapi, uuid: string): Promise<void> {
  const ref = await findVdi(xapi, uuid);
  if (ref !== undefined) await orGone(xapi.task(ctx.memory(`destroy ${uuid}`), 'VDI.destroy', ref));
  await ctx.ledger.settle(ctx.runId, 'VDI', uuid);
}
