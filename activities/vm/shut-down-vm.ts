import type { Ref } from '../../adapters/xapi/ref.ts';
import type { Xapi } from '../../adapters/xapi/xapi.ts';
import { OperationFailure } from '../../domain/errors.ts';
import type { VmIdentity } from '../../domain/vm.ts';
import { findVm } from '../support/objects.ts';
import { powerOff } from '../support/power-off.ts';
import { settle } from '../support/create-once.ts';
import { step } from '../step.ts';
import type { StepContext } from '../step.ts';

interface ShutDownVm {
  readonly vm: VmIdentity;
  readonly timeoutSeconds: number;
}

/**
 * Asks the guest to shut down; one that cannot be asked (no tools, paused, suspended) or does not obey in time is
 * switched off, which ends the pending request as well.
 * Repeating it is safe: a VM that is off is shut down.
 * Undo starts the VM again if this run found it running. The VM runs before its start task has ended: a start of an
 * earlier delivery is waited for first, else its task would outlive the run.
 */
export const shutDownVm = step<ShutDownVm, { off: true }>({
  name: 'shutDownVm',
  async find(ctx, { vm }) {
    const xapi = ctx.pools.get(vm.pool);
    const ref = await xapi.refOf('VM', vm.uuid);
    return (await xapi.call('VM.get_power_state', ref)) === 'Halted' ? { off: true } : undefined;
  },
  async do(ctx, { vm, timeoutSeconds }) {
    const xapi = ctx.pools.get(vm.pool);
    const ref = await xapi.refOf('VM', vm.uuid);
    if ((await xapi.call('VM.get_power_state', ref)) === 'Running') {
      await ctx.owe([{ kind: 'VM', id: vm.uuid, name: vm.name, duty: 'restore' }]);
      await askGuest(ctx, xapi, ref, ctx.scheduledAtMs + timeoutSeconds * 1_000);
    }
    await powerOff(ctx, xapi, ref);
    return { off: true };
  },
  async undo(ctx, { vm }) {
    const owed = await ctx.ledger.owed(ctx.runId, ctx.step);
    if (owed.length === 0) return;
    const xapi = ctx.pools.get(vm.pool);
    await settle(ctx, xapi, 'VM.clean_shutdown', 'ask');
    if (ctx.redelivered) await settle(ctx, xapi, 'VM.start', 'start');
    const ref = await findVm(xapi, vm.uuid);
    if (ref === undefined || (await xapi.call('VM.get_power_state', ref)) !== 'Halted') return;
    await xapi.task(ctx.memory('start'), 'VM.start', ref, false, false);
  },
});

/** True or not, the VM's power state says afterwards; only a failure that says nothing about the guest is passed on. */
async function askGuest(ctx: StepContext, xapi: Xapi, ref: Ref<'VM'>, deadlineMs: number): Promise<void> {
  const inTime = AbortSignal.timeout(Math.max(deadlineMs - Date.now(), 0));
  const memory = ctx.memory('ask');
  const bounded = Object.create(memory, { signal: { value: AbortSignal.any([ctx.signal, inTime]) } }) as typeof memory;
  try {
    await xapi.task(bounded, 'VM.clean_shutdown', ref);
  } catch (error) {
    ctx.signal.throwIfAborted();
    if (inTime.aborted || isGuestsRefusal(error)) return;
    throw error;
  }
}

/** The guest cannot be asked, or did not obey: VM_LACKS_FEATURE, VM_FAILED_SHUTDOWN_ACKNOWLEDGMENT, VM_SHUTDOWN_TIMEOUT. */
function isGuestsRefusal(error: unknown): boolean {
  if (!(error instanceof OperationFailure)) return false;
  const native = error.details.native?.code ?? '';
  return /^VM_(LACKS_FEATURE|MISSING_PV_DRIVERS|FAILED_SHUTDOWN_ACKNOWLEDGMENT|SHUTDOWN_TIMEOUT)/.test(native);
}
