import type { Xapi } from '../../adapters/xapi/xapi.ts';
import { OperationFailure } from '../../domain/errors.ts';
import type { DeployVmInput } from '../../domain/operations.ts';
import { placeVm as choosePlace } from '../../domain/placement.ts';
import type { VmDemand } from '../../domain/placement.ts';
import { GIB, MIB } from '../../domain/vm.ts';
import type { Placement } from '../../domain/vm.ts';
import { readHostFacts } from '../support/host-facts.ts';
import { disksOf, resolveOne } from '../support/objects.ts';
import { none, step } from '../step.ts';
import type { StepContext } from '../step.ts';

/**
 * Resolves names to uuids and finds out, before anything is touched, whether the pool can take the VM at all; when not,
 * says per host why. XAPI chooses the host itself at the start: it counts memory at that moment, we would race.
 * Repeating it is safe: it only reads.
 */
export const placeVm = step<DeployVmInput, Placement>({
  name: 'placeVm',
  find: () => Promise.resolve(undefined),
  async do(ctx, input) {
    const xapi = ctx.pools.get(input.pool);
    await refuseTakenName(xapi, input.name);
    const { template, bootSr } = await findTemplate(ctx, xapi, input.template);
    const networks = await Promise.all(input.networks.map((network) => findNetwork(ctx, xapi, network)));
    const disks = await Promise.all(
      input.disks.map(async ({ name, sizeGiB, sr }) => {
        const storage = sr === undefined ? bootSr : await findStorage(ctx, xapi, sr);
        return { name, sizeBytes: sizeGiB * GIB, srUuid: storage.uuid, storage };
      }),
    );
    const demand: VmDemand = {
      memoryBytes: input.memoryMiB * MIB,
      vcpus: input.vcpus,
      srs: [bootSr, ...disks.map((disk) => disk.storage)].map(({ uuid, name }) => ({ uuid, name })),
      networks: networks.map(({ uuid, name }) => ({ uuid, name })),
    };
    await refuseWithoutRoom(ctx, xapi, input.name, demand);
    return {
      templateUuid: template.uuid,
      networkUuids: networks.map((network) => network.uuid),
      bootSrUuid: bootSr.uuid,
      disks: disks.map(({ name, sizeBytes, srUuid }) => ({ name, sizeBytes, srUuid })),
      demand,
    };
  },
  undo: none('reads only'),
});

async function refuseTakenName(xapi: Xapi, name: string): Promise<void> {
  const [taken] = await xapi.call('VM.get_by_name_label', name);
  if (taken === undefined) return;
  const uuid = await xapi.call('VM.get_uuid', taken);
  throw new OperationFailure(
    'NAME_TAKEN',
    `Pool ${xapi.poolId} has a VM or template called ${name} already: ${uuid}.`,
    {
      object: `VM ${name} (${uuid})`,
    },
  );
}

function findTemplate(ctx: StepContext, xapi: Xapi, nameOrUuid: string) {
  return ctx.recent.read(xapi, `template ${nameOrUuid}`, async () => {
    const template = await resolveOne(xapi, 'VM', nameOrUuid, 'TEMPLATE_NOT_FOUND', (ref) => isTemplate(xapi, ref));
    return { template, bootSr: await bootStorage(xapi, template) };
  });
}

function findNetwork(ctx: StepContext, xapi: Xapi, nameOrUuid: string) {
  return ctx.recent.read(xapi, `network ${nameOrUuid}`, () =>
    resolveOne(xapi, 'network', nameOrUuid, 'NETWORK_NOT_FOUND'),
  );
}

function findStorage(ctx: StepContext, xapi: Xapi, nameOrUuid: string) {
  return ctx.recent.read(xapi, `SR ${nameOrUuid}`, () => resolveOne(xapi, 'SR', nameOrUuid, 'SR_NOT_FOUND'));
}

async function isTemplate(xapi: Xapi, ref: string): Promise<boolean> {
  const record = await xapi.call('VM.get_record', ref);
  return record.is_a_template && !record.is_a_snapshot;
}

async function bootStorage(xapi: Xapi, template: { ref: string; name: string }) {
  const [boot] = await disksOf(xapi, await xapi.call('VM.get_VBDs', template.ref));
  if (boot === undefined) {
    throw new OperationFailure('POOL_REFUSED', `Template ${template.name} has no disk to boot from.`, {
      object: `template ${template.name}`,
    });
  }
  const [uuid, name] = await Promise.all([
    xapi.call('SR.get_uuid', boot.record.SR),
    xapi.call('SR.get_name_label', boot.record.SR),
  ]);
  return { ref: boot.record.SR, uuid, name };
}

async function refuseWithoutRoom(ctx: StepContext, xapi: Xapi, name: string, demand: VmDemand): Promise<void> {
  const recent = await ctx.recent.read(xapi, 'facts of the hosts', () => readHostFacts(xapi));
  if (choosePlace(demand, recent).host !== undefined) return;
  const decision = choosePlace(demand, await readHostFacts(xapi));
  if (decision.host !== undefined) return;
  const table = decision.reasons.map(({ object, reason }) => `${object}: ${reason}`).join('; ');
  throw new OperationFailure('NO_HOST_FITS', `No host of pool ${xapi.poolId} can take VM ${name}. ${table}.`, {
    object: `VM ${name}`,
    reasons: decision.reasons,
  });
}
