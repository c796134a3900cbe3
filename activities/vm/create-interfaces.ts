import type { VifRecord } from '../../adapters/xapi/messages.generated.ts';
import type { Ref } from '../../adapters/xapi/ref.ts';
import type { Xapi } from '../../adapters/xapi/xapi.ts';
import { carriesTag, tagFor } from '../../domain/tag.ts';
import type { VmIdentity } from '../../domain/vm.ts';
import { allOf } from '../support/all-of.ts';
import { findVm, orGone } from '../support/objects.ts';
import { step } from '../step.ts';
import type { StepContext } from '../step.ts';

interface CreateInterfaces {
  readonly vm: VmIdentity;
  readonly networkUuids: readonly string[];
}

interface Interface {
  readonly ref: Ref<'VIF'>;
  readonly record: VifRecord;
}

/**
 * Takes the template's interfaces away and gives the VM one for each network asked for, device 0 first.
 * Repeating it is safe: every interface of ours carries the run's tag, and a device takes one interface.
 * Undo destroys those with our tag; the template's went with the clone and come back with no VM.
 */
export const createInterfaces = step<CreateInterfaces, { created: number }>({
  name: 'createInterfaces',
  /** `do` reads the interfaces anyway, and leaves those alone that are ours. */
  find: () => Promise.resolve(undefined),
  async do(ctx, { vm, networkUuids }) {
    const xapi = ctx.pools.get(vm.pool);
    const vmRef = await xapi.refOf('VM', vm.uuid);
    const existing = await interfacesOf(xapi, vmRef);
    const foreign = existing.filter(({ record }) => !isOurs(ctx, record));
    await allOf(foreign.map(({ ref }) => orGone(xapi.call('VIF.destroy', ref))));
    const ours = new Set(existing.filter(({ record }) => isOurs(ctx, record)).map(({ record }) => record.device));
    await allOf(
      networkUuids.map(async (uuid, index) => {
        if (!ours.has(String(index))) await createInterface(ctx, xapi, vmRef, uuid, String(index));
      }),
    );
    return { created: networkUuids.length };
  },
  async undo(ctx, { vm }) {
    const xapi = ctx.pools.get(vm.pool);
    const vmRef = await findVm(xapi, vm.uuid);
    if (vmRef === undefined) return;
    const ours = (await interfacesOf(xapi, vmRef)).filter(({ record }) => isOurs(ctx, record));
    await allOf(ours.map(({ ref }) => orGone(xapi.call('VIF.destroy', ref))));
  },
});

function isOurs(ctx: StepContext, record: VifRecord): boolean {
  return carriesTag(record, ctx.runId, ctx.step);
}

async function interfacesOf(xapi: Xapi, vm: Ref<'VM'>): Promise<Interface[]> {
  const refs = await xapi.call('VM.get_VIFs', vm);
  const found = await Promise.all(
    refs.map(async (ref) => {
      const record = await orGone(xapi.call('VIF.get_record', ref));
      return record === undefined ? [] : [{ ref, record }];
    }),
  );
  return found.flat();
}

async function createInterface(
  ctx: StepContext,
  xapi: Xapi,
  vm: Ref<'VM'>,
  networkUuid: string,
  device: string,
): Promise<void> {
  const network = await xapi.refOf('network', networkUuid);
  await xapi.call('VIF.create', {
    VM: vm,
    network,
    device,
    // Left to XAPI: it derives a stable address from the VM's mac_seed.
    MAC: '',
    MTU: await ctx.recent.read(xapi, `MTU of ${networkUuid}`, () => xapi.call('network.get_MTU', network)),
    other_config: tagFor(ctx.runId, ctx.step),
    qos_algorithm_type: '',
    qos_algorithm_params: {},
  });
}
