import type { Handlers } from '../dispatch/call.ts';
import type { Records } from '../model/records.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { assertRoom, copyVdi } from './vdi.ts';
import { createVif } from './vif.ts';
import { vdisOf, vmOperation } from './vm-support.ts';

/** A copy says what its original's guest said last, until it starts itself. */
function copyOfReport(world: World, metrics: string): string {
  const report = world.store.find('VM_guest_metrics', metrics);
  return report === undefined
    ? nullRef
    : world.store.create('VM_guest_metrics', { ...report, uuid: world.identities.uuid() });
}

/** The fields that a VM's copy does not take from its original. */
function ownFields(world: World, original: Records['VM'], name: string): Partial<Records['VM']> {
  const base: Record<string, string> = original.is_a_template ? { base_template_name: original.name_label } : {};
  const { mac_seed: _seed, ...config } = original.other_config;
  return {
    uuid: world.identities.uuid(),
    name_label: name,
    other_config: { ...base, ...config, mac_seed: world.identities.uuid() },
    memory_target: 0,
    generation_id: world.identities.generationId(),
    current_operations: {},
    power_state: 'Halted',
    resident_on: nullRef,
    scheduled_to_be_resident_on: nullRef,
    domid: -1,
    metrics: world.store.create('VM_metrics', {}),
    guest_metrics: copyOfReport(world, original.guest_metrics),
    suspend_VDI: nullRef,
    last_booted_record: '',
    is_default_template: false,
    is_a_snapshot: false,
    snapshot_of: nullRef,
    snapshots: [],
    parent: nullRef,
    children: [],
    VBDs: [],
    VIFs: [],
    VGPUs: [],
    VTPMs: [],
    VUSBs: [],
    consoles: [],
    crash_dumps: [],
    blobs: {},
  };
}

/** A copy that will run gets addresses of its own. */
export function copyInterfaces(world: World, from: string, to: string, keepsMacs: boolean): void {
  for (const ref of world.store.get('VM', from).VIFs) {
    const vif = world.store.get('VIF', ref);
    createVif(world, { ...vif, VM: to, MAC: keepsMacs ? vif.MAC : '' });
  }
}

export function copyDrive(world: World, vbd: Records['VBD'], vm: string, vdi: string): void {
  const { uuid: _uuid, ...rest } = vbd;
  world.store.create('VBD', {
    ...rest,
    VM: vm,
    VDI: vdi,
    currently_attached: false,
    current_operations: {},
    device: '',
    metrics: world.identities.ref(),
  });
}

/** `copyDisk` gives the reference of a disk's copy. */
export function copyVm(
  world: World,
  vm: string,
  name: string,
  copyDisk: (vdi: string) => string,
  keepsMacs = false,
): string {
  const original = world.store.get('VM', vm);
  const copy = world.store.create('VM', { ...original, ...ownFields(world, original, name) });
  for (const ref of original.VBDs) {
    const vbd = world.store.get('VBD', ref);
    const isDisk = vbd.type === 'Disk' && vbd.VDI !== nullRef;
    copyDrive(world, vbd, copy, isDisk ? copyDisk(vbd.VDI) : vbd.VDI);
  }
  copyInterfaces(world, vm, copy, keepsMacs);
  return copy;
}

function assertRoomForCopies(world: World, vm: string, targetSr: string): void {
  const wanted = new Map<string, number>();
  for (const { vdi } of vdisOf(world, vm)) {
    const disk = world.store.get('VDI', vdi);
    const sr = targetSr === nullRef ? disk.SR : targetSr;
    wanted.set(sr, (wanted.get(sr) ?? 0) + disk.virtual_size);
  }
  for (const [sr, bytes] of wanted) assertRoom(world, sr, bytes);
}

export const vmCopies: Handlers = {
  'VM.clone': (call, vm, name) =>
    vmOperation(call, vm, 'clone', ['Halted', 'Suspended'], async () => {
      call.progress(0.1);
      await call.world.latency.spend('clone', call.signal);
      return copyVm(call.world, vm, name, (vdi) => copyVdi(call.world, vdi, { shared: true }));
    }),

  'VM.copy': (call, vm, name, sr) =>
    vmOperation(call, vm, 'copy', ['Halted', 'Suspended'], async () => {
      assertRoomForCopies(call.world, vm, sr);
      call.progress(0.1);
      await call.world.latency.spend('clone', call.signal);
      return copyVm(call.world, vm, name, (vdi) =>
        copyVdi(call.world, vdi, { shared: false, sr: sr === nullRef ? undefined : sr }),
      );
    }),
};
