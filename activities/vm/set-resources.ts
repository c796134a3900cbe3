import { MIB } from '../../domain/vm.ts';
import type { VmIdentity } from '../../domain/vm.ts';
import { none, step } from '../step.ts';

interface SetResources {
  readonly vm: VmIdentity;
  readonly vcpus: number;
  readonly memoryMiB: number;
}

/**
 * Gives the VM its memory (fixed: all four limits alike, so that what was placed is what it gets) and its CPUs.
 * Repeating it is safe: setting a value twice is setting it once.
 */
export const setResources = step<SetResources, { set: true }>({
  name: 'setResources',
  /** Setting is as cheap as looking, and setting again changes nothing. */
  find: () => Promise.resolve(undefined),
  async do(ctx, { vm, vcpus, memoryMiB }) {
    const xapi = ctx.pools.get(vm.pool);
    const ref = await xapi.refOf('VM', vm.uuid);
    const bytes = memoryMiB * MIB;
    await xapi.call('VM.set_memory_limits', ref, bytes, bytes, bytes, bytes);
    // XAPI holds at_startup <= max at every moment: grow the limit first, shrink it last.
    const grows = vcpus >= (await xapi.call('VM.get_VCPUs_max', ref));
    const order = ['VM.set_VCPUs_max', 'VM.set_VCPUs_at_startup'] as const;
    for (const setter of grows ? order : order.toReversed()) await xapi.call(setter, ref, vcpus);
    return { set: true };
  },
  undo: none('goes with the VM'),
});
