import type { Handlers } from '../dispatch/call.ts';
import type { Records } from '../model/records.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { memoryOverheadBytes } from './memory.ts';
import { statesFor } from './vm-states.ts';
import { assertVmCan, busyWith, vmOperation } from './vm-support.ts';

const bytesPerMiB = 2 ** 20;
/** What a conservative answer counts with, however many the VM has. */
const manyVcpus = 64;

/** Bytes: the largest static maximum with which the VM, and what it needs beside its memory, fits into so many. */
function largestMemoryBytes(record: Records['VM'], totalBytes: number): number {
  const fits = (mib: number) => {
    const bytes = mib * bytesPerMiB;
    return bytes + memoryOverheadBytes({ ...record, memory_static_max: bytes }) <= totalBytes;
  };
  let [low, high] = [0, Math.ceil(totalBytes / bytesPerMiB)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low * bytesPerMiB;
}

/** Throws the reason why the operation cannot begin at this moment. */
function assertOperationValid(world: World, vm: string, name: string): void {
  assertVmCan(world, vm, { name, states: statesFor(name) });
  const busy = busyWith(world, vm);
  if (busy !== undefined) throw new XapiError(...(busy as [string, ...string[]]));
}

function securebootReadiness({ HVM_boot_params: boot, platform, NVRAM: nvram }: Records['VM']): string {
  if (boot['firmware'] !== 'uefi') return 'not_supported';
  if (!['true', 'auto'].includes(platform['secureboot'] ?? '')) return 'disabled';
  return nvram['EFI-variables'] === undefined ? 'first_boot' : 'ready';
}

/** Throws VALUE_NOT_SUPPORTED (xapi_vm_helpers.ml). */
function assertCrashAction(world: World, vm: string, value: string): void {
  const refuse = (reason: string) => new XapiError('VALUE_NOT_SUPPORTED', 'VM.actions_after_crash', value, reason);
  if (value === 'rename_restart')
    throw refuse('option would leak a domain; VMs and not domains are managed by this API');
  const { domain_type: type } = world.store.get('VM', vm);
  if (value.startsWith('coredump') && ['hvm', 'pv_in_pvh'].includes(type))
    throw refuse('cannot invoke a coredump of an HVM or PV-in-PVH domain');
}

/** What a VM is asked about itself, and what the daemon itself says that it does not do. */
export const vmQuestions: Handlers = {
  'VM.maximise_memory': ({ world }, vm, totalBytes, approximate) => {
    const record = world.store.get('VM', vm);
    return largestMemoryBytes({ ...record, VCPUs_max: approximate ? manyVcpus : record.VCPUs_max }, totalBytes);
  },
  'VM.get_boot_record': (call, vm) =>
    vmOperation(call, vm, 'get_boot_record', statesFor('get_boot_record'), () => call.world.store.get('VM', vm)),
  'VM.get_cooperative': () => true,
  'VM.assert_operation_valid': ({ world }, vm, operation) => assertOperationValid(world, vm, operation),
  'VM.get_secureboot_readiness': ({ world }, vm) => securebootReadiness(world.store.get('VM', vm)),
  'VM.set_actions_after_crash': ({ world }, vm, value) => {
    assertCrashAction(world, vm, value);
    world.store.update('VM', vm, { actions_after_crash: value });
  },
  'VM.query_services': (call, vm) =>
    vmOperation(call, vm, 'query_services', statesFor('query_services'), () => {
      throw new XapiError('NOT_IMPLEMENTED', 'query_services');
    }),
};
