import type { VmIdentity } from '../../domain/vm.ts';
import { DONE, none, step } from '../step.ts';
import type { Done } from '../step.ts';

/**
 * Strikes the VM from our register of deployed VMs, and with it its host key.
 * Repeating it is safe: a row that is gone stays gone.
 */
export const forgetVm = step<{ readonly vm: VmIdentity }, Done>({
  name: 'forgetVm',
  find: () => Promise.resolve(undefined),
  async do(ctx, { vm }) {
    await ctx.vms.forget(vm.pool, vm.uuid);
    return DONE;
  },
  undo: none('after the point of no return'),
});
