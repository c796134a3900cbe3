import type { Call, Handlers } from '../dispatch/call.ts';
import type { Records } from '../model/records.ts';
import { formatDate } from '../world/dates.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import type { DiskRequest } from './provision-disks.ts';
import { parseDisks } from './provision-disks.ts';
import { createVbd } from './vbd.ts';
import { createVdi, destroyVdi } from './vdi.ts';
import { assertPowerState, vmOperation } from './vm-support.ts';

function createDisk(world: World, vm: string, { device, sizeBytes, srUuid, bootable, type }: DiskRequest): string {
  const sr = world.store.byUuid('SR', srUuid);
  if (sr === undefined) throw new XapiError('UUID_INVALID', 'sr', srUuid);
  const vdi = createVdi(world, {
    SR: sr,
    virtual_size: sizeBytes,
    name_label: device,
    name_description: 'Created by template provisioner',
    type,
    sm_config: { vmhint: world.store.get('VM', vm).uuid },
  });
  const drive = {
    VM: vm,
    VDI: vdi,
    userdevice: device,
    bootable,
    mode: 'RW',
    type: 'Disk',
    unpluggable: type !== 'system',
  };
  createVbd(world, { ...drive, other_config: { owner: '' } });
  return vdi;
}

/** It stops being a template before anything else, also if a disk cannot be made: what was made goes, the rest stays as it is. */
function provision({ world, progress }: Call, vm: string): void {
  world.store.update('VM', vm, { is_a_template: false });
  const { disks, ...rest } = world.store.get('VM', vm).other_config;
  const made: string[] = [];
  try {
    for (const request of disks === undefined ? [] : parseDisks(disks)) made.push(createDisk(world, vm, request));
  } catch (error) {
    for (const vdi of made) destroyVdi(world, vdi);
    throw error;
  }
  progress(0.1);
  world.store.update('VM', vm, { other_config: rest });
  world.store.update('VM_metrics', world.store.get('VM', vm).metrics, { install_time: formatDate(Date.now()) });
}

const domainType = (hvmBootPolicy: string): string => (hvmBootPolicy === '' ? 'pv' : 'hvm');

/** Only a VM whose memory is kept on a disk can begin as anything but halted. */
const isKept = (world: World, { power_state: state, suspend_VDI: image }: Records['VM']): boolean =>
  state === 'Suspended' && world.store.find('VDI', image) !== undefined;

/** The VM's objects, without its disks. */
export function removeVm(world: World, vm: string): void {
  const { VBDs: vbds, VIFs: vifs, consoles, metrics, guest_metrics: guestMetrics } = world.store.get('VM', vm);
  const { parent, children } = world.store.get('VM', vm);
  for (const child of children) world.store.update('VM', child, { parent });
  for (const vbd of vbds) world.store.destroy('VBD', vbd);
  for (const vif of vifs) world.store.destroy('VIF', vif);
  for (const console of consoles) world.store.destroy('console', console);
  world.store.destroy('VM', vm);
  if (world.store.find('VM_metrics', metrics) !== undefined) world.store.destroy('VM_metrics', metrics);
  if (guestMetrics !== nullRef) world.store.destroy('VM_guest_metrics', guestMetrics);
}

function destroyVm(world: World, vm: string): void {
  const { uuid } = world.store.get('VM', vm);
  removeVm(world, vm);
  world.setGuestAddress(uuid, null);
  world.guests.forget(uuid);
}

export const vmLife: Handlers = {
  'VM.create': ({ world }, record) =>
    world.store.create('VM', {
      ...record,
      power_state: isKept(world, record) ? 'Suspended' : 'Halted',
      other_config: { mac_seed: world.identities.uuid(), ...record.other_config },
      metrics: world.store.create('VM_metrics', {}),
      domid: -1,
      hardware_platform_version: 2,
      domain_type: record.domain_type === 'unspecified' ? domainType(record.HVM_boot_policy) : record.domain_type,
    }),

  'VM.destroy': (call, vm) =>
    vmOperation(call, vm, 'destroy', ['Halted', 'Suspended'], async () => {
      await call.world.latency.spend('destroy', call.signal);
      destroyVm(call.world, vm);
    }),

  'VM.provision': (call, vm) =>
    vmOperation(call, vm, 'provision', ['Halted'], () => {
      if (!call.world.store.get('VM', vm).is_a_template) throw new XapiError('PROVISION_ONLY_ALLOWED_ON_TEMPLATE');
      provision(call, vm);
    }),

  'VM.set_is_a_template': ({ world }, vm, value) => {
    assertPowerState(world, vm, ['Halted']);
    world.store.update('VM', vm, { is_a_template: value });
  },

  'VM.update_allowed_operations': () => undefined,
};
