import type { DiskIdentity, VmIdentity } from '../../domain/vm.ts';
import { destroyVdis } from '../support/destroy-vdis.ts';
import { DONE, none, step } from '../step.ts';
import type { Done } from '../step.ts';

interface DestroyDisks {
  readonly vm: VmIdentity;
  readonly disks: readonly DiskIdentity[];
}

/**
 * Removes the disks that only the deleted VM used.
 * Repeating it is safe: a disk that is gone is removed; each is settled in the ledger as it goes.
 */
export const destroyDisks = step<DestroyDisks, Done>({
  name: 'destroyDisks',
  find: () => Promise.resolve(undefined),
  async do(ctx, { vm, disks }) {
    const owed = disks.map((disk) => ({ id: disk.uuid }));
    await destroyVdis(ctx, ctx.pools.get(vm.pool), owed);
    return DONE;
  },
  undo: none('after the point of no return'),
});
