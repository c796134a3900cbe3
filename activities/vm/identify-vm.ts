import type { VmRecord } from '../../adapters/xapi/messages.generated.ts';
import type { Xapi } from '../../adapters/xapi/xapi.ts';
import { OperationFailure } from '../../domain/errors.ts';
import type { DeleteVmInput } from '../../domain/operations.ts';
import { describeVm } from '../../domain/vm.ts';
import type { DiskIdentity, VmIdentity } from '../../domain/vm.ts';
import { disksOf, resolveOne } from '../support/objects.ts';
import { none, step } from '../step.ts';

interface Identified {
  readonly vm: VmIdentity;
  /** Disks that only this VM uses: they go with it. */
  readonly disks: readonly DiskIdentity[];
}

/**
 * Finds the one VM that is meant and the disks that go with it, and refuses what must not be deleted: templates, control
 * domains, VMs that somebody protected, VMs with snapshots (their disks would be left without an owner).
 * Repeating it is safe: it only reads.
 */
export const identifyVm = step<DeleteVmInput, Identified>({
  name: 'identifyVm',
  find: () => Promise.resolve(undefined),
  async do(ctx, input) {
    const xapi = ctx.pools.get(input.pool);
    const found = await resolveOne(xapi, 'VM', input.uuid ?? input.name, 'VM_NOT_FOUND', (ref) => isVm(xapi, ref));
    const vm: VmIdentity = { pool: input.pool, uuid: found.uuid, name: found.name };
    if (found.name !== input.name) {
      throw new OperationFailure(
        'VM_NOT_FOUND',
        `${describeVm(vm)} is not called ${input.name}: the uuid is another VM's.`,
      );
    }
    const record = await xapi.call('VM.get_record', found.ref);
    refuseProtected(vm, record);
    const disks = await disksOf(xapi, record.VBDs);
    const own = disks.filter((disk) => disk.record.VBDs.length === 1);
    return { vm, disks: own.map(({ uuid, name }) => ({ uuid, name })) };
  },
  undo: none('reads only'),
});

async function isVm(xapi: Xapi, ref: string): Promise<boolean> {
  const record = await xapi.call('VM.get_record', ref);
  return !record.is_a_template && !record.is_a_snapshot;
}

function refuseProtected(vm: VmIdentity, record: VmRecord): void {
  const why = protection(record);
  if (why === undefined) return;
  throw new OperationFailure('VM_PROTECTED', `${describeVm(vm)} is not deleted: ${why}.`, { object: describeVm(vm) });
}

function protection(record: VmRecord): string | undefined {
  if (record.is_control_domain) return 'it is the control domain of a host';
  const blocked = record.blocked_operations['destroy'];
  if (blocked !== undefined)
    return `somebody blocked its destruction (${blocked === '' ? 'no reason given' : blocked})`;
  if (record.snapshots.length > 0) return `it has ${record.snapshots.length} snapshots; delete them first`;
  return undefined;
}
