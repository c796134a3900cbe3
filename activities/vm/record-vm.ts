import type { VmIdentity } from '../../domain/vm.ts';
import { step } from '../step.ts';

interface RecordVm {
  readonly vm: VmIdentity;
  readonly address: string;
  readonly sshPort: number;
  readonly hostPublicKey: string;
}

/**
 * Writes down what was deployed and how to recognise it: every later connection must prove this host key.
 * Repeating it is safe: one row per VM. Undo removes the row.
 */
export const recordVm = step<RecordVm, { recorded: true }>({
  name: 'recordVm',
  async find(ctx, { vm }) {
    return (await ctx.vms.find(vm.pool, vm.uuid)) === undefined ? undefined : { recorded: true };
  },
  async do(ctx, { vm, address, sshPort, hostPublicKey }) {
    await ctx.vms.record(ctx.runId, { ...vm, address, sshPort, hostPublicKey });
    return { recorded: true };
  },
  async undo(ctx, { vm }) {
    await ctx.vms.forget(vm.pool, vm.uuid);
  },
});
