import type { DiskIdentity, VmIdentity } from '../../domain/vm.ts';
import { findVm, orGone } from '../support/objects.ts';
import { DONE, none, step } from '../step.ts';
import type { Done } from '../step.ts';

interface DestroyVm {
  readonly vm: VmIdentity;
  readonly disks: readonly DiskIdentity[];
}

/**
 * Removes the VM. Its disks stay (VM.destroy leaves them), so they are in the ledger before the VM goes.
 * Repeating it is safe: a VM that is gone is removed.
 */
export const destroyVm = step<DestroyVm, Done>({
  name: 'destroyVm',
  find: () => Promise.resolve(undefined),
  async do(ctx, { vm, disks }) {
    const xapi = ctx.pools.get(vm.pool);
    // The VM will not come back: what would have restored it is not owed any more.
    await ctx.ledger.settleStep(ctx.runId, 'shutDownVm');
    await ctx.owe([{ kind: 'VM', id: vm.uuid, name: vm.name, duty: 'remove' }]);
    await ctx.ledger.owe(
      ctx.runId,
      'destroyDisks',
      disks.map((disk) => ({ kind: 'VDI', id: disk.uuid, name: disk.name, duty: 'remove' })),
    );
    const ref = await findVm(xapi, vm.uuid);
    if (ref !== undefined) await orGone(xapi.task(ctx.memory(), 'VM.destroy', ref));
    await ctx.ledger.settle(ctx.runId, 'VM', vm.uuid);
    return DONE;
  },
  undo: none('after the point of no return'),
});
