import type { Call, Handlers } from '../dispatch/call.ts';
import type { Records } from '../model/records.ts';
import { parseType } from '../model/types.ts';
import { cellText, rowOf } from '../world/database-text.ts';
import { formatDate } from '../world/dates.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { createSuspendImage } from './suspend.ts';
import { copyVdi, destroyVdi } from './vdi.ts';
import { copyDrive, copyInterfaces, copyVm } from './vm-copies.ts';
import { halt } from './vm-power.ts';
import type { PowerState } from './vm-support.ts';
import { postMessage, vdisOf, vmOperation } from './vm-support.ts';

const anyState: readonly PowerState[] = ['Halted', 'Suspended', 'Running', 'Paused'];

/** All fields of the VM at this moment, as the daemon's database writes them. */
function asRemembered(world: World, vm: string): string {
  const row = rowOf(world.store, 'VM', vm).reverse();
  return cellText(parseType('(string -> string) map'), Object.fromEntries(row));
}

function snapshotVm(world: World, vm: string, name: string): string {
  const metadata = asRemembered(world, vm);
  const snapshot = copyVm(world, vm, name, (vdi) => copyVdi(world, vdi, { shared: true, snapshot: true }), true);
  const { name_label: label, other_config: original, power_state: state, parent } = world.store.get('VM', vm);
  world.store.update('VM', snapshot, {
    name_label: name === '' ? label : name,
    other_config: original,
    is_a_template: true,
    is_a_snapshot: true,
    snapshot_of: vm,
    parent,
    snapshot_time: formatDate(Date.now()),
    snapshot_info: { 'disk-snapshot-type': 'crash_consistent', 'power-state-at-snapshot': state },
    snapshot_metadata: metadata,
  });
  world.store.update('VM', vm, { parent: snapshot });
  return snapshot;
}

/** As VM.snapshot makes one, and tells of it. */
function snapshotOf(world: World, vm: string, name: string): string {
  const snapshot = snapshotVm(world, vm, name);
  postMessage(world, 'VM_SNAPSHOTTED', vm, `snapshotted, snapshot name: ${name}`);
  return snapshot;
}

/** The image of the memory that a checkpoint keeps: none of a paused VM, as the daemon does it. */
async function memoryImage({ world, signal }: Call, vm: string): Promise<string> {
  const { power_state: state, suspend_VDI: image } = world.store.get('VM', vm);
  if (state === 'Suspended') return copyVdi(world, image, { shared: true });
  if (state !== 'Running') return nullRef;
  const vdi = createSuspendImage(world, vm);
  try {
    await world.latency.spend('shutdown', signal);
  } catch (error) {
    destroyVdi(world, vdi);
    throw error;
  }
  // It was suspended for a moment, and resumed as a new domain.
  world.store.update('VM', vm, { domid: world.nextDomid() });
  return vdi;
}

async function checkpoint(call: Call, vm: string, name: string): Promise<string> {
  const { world } = call;
  const image = await memoryImage(call, vm);
  const snapshot = snapshotVm(world, vm, name);
  if (image !== nullRef) world.store.update('VM', snapshot, { suspend_VDI: image, power_state: 'Suspended' });
  postMessage(world, 'VM_CHECKPOINTED', vm, `checkpointed, checkpoint name: ${name}`);
  return snapshot;
}

/** What a VM keeps of its own when it goes back to a snapshot; everything else is as it was then. */
function asItWasThen(snapshot: Records['VM']): Partial<Records['VM']> {
  const { PV_args, PV_bootloader, PV_bootloader_args, PV_kernel, PV_legacy_args, PV_ramdisk } = snapshot;
  const { HVM_boot_params, HVM_boot_policy, HVM_shadow_multiplier, NVRAM, domain_type, platform } = snapshot;
  const { memory_static_max, memory_static_min, memory_dynamic_max, memory_dynamic_min } = snapshot;
  const { VCPUs_max, VCPUs_at_startup, VCPUs_params, name_description, other_config, xenstore_data } = snapshot;
  const { actions_after_crash, actions_after_reboot, actions_after_shutdown, bios_strings } = snapshot;
  return {
    ...{ PV_args, PV_bootloader, PV_bootloader_args, PV_kernel, PV_legacy_args, PV_ramdisk },
    ...{ HVM_boot_params, HVM_boot_policy, HVM_shadow_multiplier, NVRAM, domain_type, platform },
    ...{ memory_static_max, memory_static_min, memory_dynamic_max, memory_dynamic_min },
    ...{ VCPUs_max, VCPUs_at_startup, VCPUs_params, name_description, other_config, xenstore_data },
    ...{ actions_after_crash, actions_after_reboot, actions_after_shutdown, bios_strings },
  };
}

/** The VM's disks and interfaces are replaced by copies of the snapshot's: their old references die. */
function replaceDevices(world: World, vm: string, snapshot: string): void {
  const disks = vdisOf(world, vm).filter(({ vbd }) => world.store.get('VBD', vbd).type === 'Disk');
  const { VBDs: vbds, VIFs: vifs } = world.store.get('VM', vm);
  for (const ref of vbds) world.store.destroy('VBD', ref);
  for (const ref of vifs) world.store.destroy('VIF', ref);
  for (const { vdi } of disks) destroyVdi(world, vdi);
  for (const ref of world.store.get('VM', snapshot).VBDs) {
    const vbd = world.store.get('VBD', ref);
    const isDisk = vbd.type === 'Disk' && vbd.VDI !== nullRef;
    copyDrive(world, vbd, vm, isDisk ? copyVdi(world, vbd.VDI, { shared: true }) : vbd.VDI);
  }
  copyInterfaces(world, snapshot, vm, true);
}

/** A VM that goes back to a checkpoint is suspended with the memory that it had then. */
async function revertTo(world: World, snapshot: string, vm: string): Promise<void> {
  if (world.store.get('VM', vm).power_state !== 'Halted') await halt(world, vm);
  replaceDevices(world, vm, snapshot);
  const then = world.store.get('VM', snapshot);
  const image =
    world.store.find('VDI', then.suspend_VDI) === undefined
      ? nullRef
      : copyVdi(world, then.suspend_VDI, { shared: true });
  world.store.update('VM', vm, {
    ...asItWasThen(then),
    suspend_VDI: image,
    power_state: image === nullRef ? 'Halted' : 'Suspended',
    parent: snapshot,
  });
}

/** The VM that goes back. Throws VM_REVERT_FAILED for what is no snapshot, or has no VM any more. */
function vmOf(world: World, snapshot: string): string {
  const { snapshot_of: vm, is_a_snapshot: isSnapshot } = world.store.get('VM', snapshot);
  if (!isSnapshot || world.store.find('VM', vm) === undefined)
    throw new XapiError('VM_REVERT_FAILED', snapshot, nullRef);
  return vm;
}

async function revert(call: Call, snapshot: string, vm: string): Promise<void> {
  const { world, signal } = call;
  const operation = { cls: 'VM', ref: vm, name: 'reverting', id: call.operationId, signal } as const;
  await world.operations.run({ ...operation, check: () => undefined }, call.cancel, async () => {
    await world.latency.spend('clone', signal);
    await revertTo(world, snapshot, vm);
    const { name_label: name } = world.store.get('VM', snapshot);
    postMessage(world, 'VM_SNAPSHOT_REVERTED', vm, `reverted to snapshot: ${name}`);
  });
}

export const vmSnapshots: Handlers = {
  'VM.snapshot': (call, vm, name) =>
    vmOperation(call, vm, 'snapshot', anyState, async () => {
      await call.world.latency.spend('clone', call.signal);
      return snapshotOf(call.world, vm, name);
    }),
  'VM.checkpoint': (call, vm, name) =>
    vmOperation(call, vm, 'checkpoint', ['Paused', 'Suspended', 'Running'], () => checkpoint(call, vm, name)),
  'VM.revert': (call, snapshot) => {
    const vm = vmOf(call.world, snapshot);
    return vmOperation(call, snapshot, 'revert', anyState, () => revert(call, snapshot, vm));
  },
  'VMSS.snapshot_now': async (call, schedule) => {
    const { VMs: vms, name_label: name } = call.world.store.get('VMSS', schedule);
    for (const vm of vms)
      await vmOperation(call, vm, 'snapshot', anyState, () =>
        snapshotOf(call.world, vm, `${name} ${formatDate(Date.now())}`),
      );
    return '';
  },
};
