import { OperationFailure } from '../../domain/errors.ts';
import { describeVm } from '../../domain/vm.ts';
import type { VmIdentity } from '../../domain/vm.ts';

import { poll } from '../support/poll.ts';
import { none, step } from '../step.ts';

interface WaitForSsh {
  readonly vm: VmIdentity;
  readonly address: string;
  readonly hostPublicKey: string;
  readonly timeoutSeconds: number;
}

const PROBE_TIMEOUT_MS = 5_000;

/**
 * Waits until SSH on the VM's address proves possession of exactly the key that was made for it. Another key ends the
 * run at once: somebody else has the address.
 * Repeating it is safe: it only reads, and its deadline counts from the first delivery.
 */
export const waitForSsh = step<WaitForSsh, { readonly sshPort: number }>({
  name: 'waitForSsh',
  find: () => Promise.resolve(undefined),
  async do(ctx, { vm, address, hostPublicKey, timeoutSeconds }) {
    const port = ctx.pools.get(vm.pool).guestSshPort;
    const deadlineMs = ctx.scheduledAtMs + timeoutSeconds * 1_000;
    let lastWords = 'it was not asked';
    const answered = await poll(deadlineMs, ctx.signal, async () => {
      const probe = {
        address,
        port,
        expectedPublicKey: hostPublicKey,
        timeoutMs: PROBE_TIMEOUT_MS,
        signal: ctx.signal,
      };
      const answer = await ctx.probeHostKey(probe);
      if (answer.answers) return true;
      lastWords = answer.why;
      return undefined;
    });
    if (answered === true) return { sshPort: port };
    throw new OperationFailure(
      'GUEST_NO_SSH',
      `SSH of ${describeVm(vm)} on ${address}:${port} did not answer within ${timeoutSeconds} s; last: ${lastWords}.`,
      { object: describeVm(vm) },
    );
  },
  undo: none('reads only'),
});
