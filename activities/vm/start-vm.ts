import type { Xapi } from '../../adapters/xapi/xapi.ts';
import { OperationFailure } from '../../domain/errors.ts';
import { placeVm } from '../../domain/placement.ts';
import type { VmDemand } from '../../domain/placement.ts';
import { describeVm } from '../../domain/vm.ts';
import type { VmIdentity } from '../../domain/vm.ts';
import { settle } from '../support/create-once.ts';
import { readHostFacts } from '../support/host-facts.ts';
import { findVm, isRef } from '../support/objects.ts';
import { powerOff } from '../support/power-off.ts';
import { step } from '../step.ts';

interface StartVm {
  readonly vm: VmIdentity;
  readonly demand: VmDemand;
}

interface Started {
  /** Name of the host that XAPI chose. */
  readonly host: string;
}

/**
 * Starts the VM on the host that XAPI chooses, which counts memory at this very moment.
 * Repeating it is safe: a VM that runs is started. XAPI's answer when nothing fits has no reasons; we ask every host.
 * Undo waits for a start that is still under way, then switches the VM off.
 */
export const startVm = step<StartVm, Started>({
  name: 'startVm',
  async find(ctx, { vm }) {
    const xapi = ctx.pools.get(vm.pool);
    const ref = await xapi.refOf('VM', vm.uuid);
    return (await xapi.call('VM.get_power_state', ref)) === 'Running' ? { host: await hostOf(xapi, ref) } : undefined;
  },
  async do(ctx, { vm, demand }) {
    const xapi = ctx.pools.get(vm.pool);
    const ref = await xapi.refOf('VM', vm.uuid);
    try {
      await xapi.task(ctx.memory('start'), 'VM.start', ref, false, false);
    } catch (error) {
      throw await explained(xapi, vm, demand, error);
    }
    return { host: await hostOf(xapi, ref) };
  },
  async undo(ctx, { vm }) {
    const xapi = ctx.pools.get(vm.pool);
    await settle(ctx, xapi, 'VM.start', 'start');
    const ref = await findVm(xapi, vm.uuid);
    if (ref !== undefined) await powerOff(ctx, xapi, ref);
  },
});

async function hostOf(xapi: Xapi, vm: string): Promise<string> {
  const host = await xapi.call('VM.get_resident_on', vm);
  return isRef(host) ? xapi.call('host.get_name_label', host) : 'unknown';
}

async function explained(xapi: Xapi, vm: VmIdentity, demand: VmDemand, error: unknown): Promise<unknown> {
  if (!(error instanceof OperationFailure) || error.code !== 'NO_HOST_FITS') return error;
  const decision = placeVm(demand, await readHostFacts(xapi));
  if (decision.host !== undefined) {
    const now = `${decision.host.name} fits now: the pool changed at that moment`;
    return new OperationFailure('POOL_BUSY', `No host could take ${describeVm(vm)} (${now}).`, error.details);
  }
  const table = decision.reasons.map(({ object, reason }) => `${object}: ${reason}`).join('; ');
  const details = { ...error.details, object: describeVm(vm), reasons: decision.reasons };
  return new OperationFailure(
    'NO_HOST_FITS',
    `No host of pool ${vm.pool} can start ${describeVm(vm)}. ${table}.`,
    details,
  );
}
