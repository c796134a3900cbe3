import type { Xapi } from '../../adapters/xapi/xapi.ts';
import type { StepContext } from '../step.ts';
import { findVdi, orGone } from './objects.ts';

/** Destroys disks by uuid, all at once; a disk that is gone already counts as done. Each is settled in the ledger as it goes. */
export async function destroyVdis(
  ctx: StepContext,
  xapi: Xapi,
  disks: readonly { readonly id: string }[],
): Promise<void> {
  const outcomes = await Promise.allSettled(disks.map((disk) => destroyVdi(ctx, xapi, disk.id)));
  // All are tried before the first failure is told: what can go, goes.
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function destroyVdi(ctx: StepContext, xapi: Xapi, uuid: string): Promise<void> {
  const ref = await findVdi(xapi, uuid);
  if (ref !== undefined) await orGone(xapi.task(ctx.memory(`destroy ${uuid}`), 'VDI.destroy', ref));
  await ctx.ledger.settle(ctx.runId, 'VDI', uuid);
}
