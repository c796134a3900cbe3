import type { VmRecord } from '../../adapters/xapi/messages.generated.ts';
import type { Xapi } from '../../adapters/xapi/xapi.ts';
import { OperationFailure } from '../../domain/errors.ts';
import { describeVm } from '../../domain/vm.ts';
import type { VmIdentity } from '../../domain/vm.ts';
import { isRef, orGone } from '../support/objects.ts';
import { poll } from '../support/poll.ts';
import { none, step } from '../step.ts';

interface WaitForAddress {
  readonly vm: VmIdentity;
  readonly timeoutSeconds: number;
}

/**
 * Waits until the guest has booted so far that its tools report an address.
 * Repeating it is safe: it only reads, and its deadline counts from the first delivery.
 */
export const waitForAddress = step<WaitForAddress, { readonly address: string }>({
  name: 'waitForAddress',
  find: () => Promise.resolve(undefined),
  async do(ctx, { vm, timeoutSeconds }) {
    const xapi = ctx.pools.get(vm.pool);
    const ref = await xapi.refOf('VM', vm.uuid);
    const deadlineMs = ctx.scheduledAtMs + timeoutSeconds * 1_000;
    const address = await poll(deadlineMs, ctx.signal, async () => {
      const record = await xapi.call('VM.get_record', ref);
      refuseDead(record, vm);
      return firstAddress(xapi, record);
    });
    if (address !== undefined) return { address };
    throw new OperationFailure(
      'GUEST_NO_ADDRESS',
      `${describeVm(vm)} runs, but reported no address within ${timeoutSeconds} s of its start.`,
      { object: describeVm(vm) },
    );
  },
  undo: none('reads only'),
});

function refuseDead({ power_state: state }: VmRecord, vm: VmIdentity): void {
  if (state === 'Running') return;
  throw new OperationFailure(
    'GUEST_NO_ADDRESS',
    `${describeVm(vm)} stopped while it was booting: its power state is ${state}.`,
    { object: describeVm(vm) },
  );
}

/** Keys are `0/ip`, `0/ipv4/0`, `0/ipv6/0`, by interface; the first interface's IPv4 address is what we connect to. */
async function firstAddress(xapi: Xapi, { guest_metrics: metrics }: VmRecord): Promise<string | undefined> {
  if (!isRef(metrics)) return undefined;
  const networks = (await orGone(xapi.call('VM_guest_metrics.get_networks', metrics))) ?? {};
  return networks['0/ip'] ?? networks['0/ipv4/0'];
}
