import { OperationFailure } from '../../domain/errors.ts';
import { describeVm } from '../../domain/vm.ts';
import type { VmIdentity } from '../../domain/vm.ts';

import { none, step } from '../step.ts';

/** Disks that the template would have XAPI make on its own; ours are made by our own steps, with our tags. */
const DISKS_KEY = 'disks';

/**
 * Turns the clone of the template into a VM: until then it cannot be started.
 * Repeating it is safe: a VM that is no template any more has been provisioned (XAPI clears the flag first).
 */
export const provisionVm = step<{ readonly vm: VmIdentity }, { provisioned: true }>({
  name: 'provisionVm',
  async find(ctx, { vm }) {
    const memory = ctx.memory('provision');
    if (memory.taskRef !== undefined) return undefined;
    const xapi = ctx.pools.get(vm.pool);
    if (ctx.redelivered) await xapi.settleTasks(memory, 'VM.provision', { timeoutMs: 60_000 });
    const ref = await xapi.refOf('VM', vm.uuid);
    return (await xapi.call('VM.get_is_a_template', ref)) ? undefined : { provisioned: true };
  },
  async do(ctx, { vm }) {
    const xapi = ctx.pools.get(vm.pool);
    const ref = await xapi.refOf('VM', vm.uuid);
    await xapi.call('VM.remove_from_other_config', ref, DISKS_KEY);
    await xapi.task(ctx.memory('provision'), 'VM.provision', ref);
    if (await xapi.call('VM.get_is_a_template', ref)) {
      throw new OperationFailure('STATE_CONFLICT', `${describeVm(vm)} is still a template after VM.provision.`);
    }
    return { provisioned: true };
  },
  undo: none('goes with the VM'),
});
