import type { Call, Handlers } from '../dispatch/call.ts';
import { formatDate } from '../world/dates.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { bootGuest, stopGuest } from './guest-lifecycle.ts';
import { refreshFreeMemory } from './memory.ts';
import { assertCanBootHere, chooseHost } from './placement.ts';
import { attach } from './vbd.ts';
import type { PowerState } from './vm-support.ts';
import { postMessage, vdisOf, vmOperation } from './vm-support.ts';

function setAttached(world: World, vm: string, attached: boolean): void {
  const { VBDs: vbds, VIFs: vifs } = world.store.get('VM', vm);
  for (const vif of vifs) world.store.update('VIF', vif, { currently_attached: attached });
  for (const vbd of vbds) {
    if (attached) attach(world, vbd);
    else world.store.update('VBD', vbd, { currently_attached: false });
  }
}

function assertDisksFree(world: World, vm: string): void {
  for (const { vdi } of vdisOf(world, vm)) {
    const { VBDs: vbds, sharable } = world.store.get('VDI', vdi);
    if (sharable) continue;
    const taken = vbds
      .map((ref) => world.store.get('VBD', ref))
      .some((vbd) => vbd.VM !== vm && vbd.currently_attached && vbd.mode === 'RW');
    if (taken) throw new XapiError('VDI_IN_USE', vdi, 'attach');
  }
}

function markRunning(world: World, vm: string, host: string, state: PowerState): void {
  const { metrics, VCPUs_at_startup: vcpus, memory_dynamic_max: memoryBytes } = world.store.get('VM', vm);
  setAttached(world, vm, true);
  world.store.update('VM', vm, {
    power_state: state,
    resident_on: host,
    domid: world.nextDomid(),
    memory_target: memoryBytes,
  });
  const now = formatDate(Date.now());
  world.store.update('VM_metrics', metrics, {
    start_time: now,
    VCPUs_number: vcpus,
    memory_actual: memoryBytes,
    last_updated: now,
  });
  refreshFreeMemory(world, host);
}

function reserve(world: World, vm: string, host: string): void {
  world.store.update('VM', vm, { scheduled_to_be_resident_on: host });
  world.reserved.set(host, (world.reserved.get(host) ?? new Set()).add(vm));
}

function unreserve(world: World, vm: string, host: string): void {
  world.reserved.get(host)?.delete(vm);
  world.store.update('VM', vm, { scheduled_to_be_resident_on: nullRef });
}

/** The memory is taken from the host as soon as it is chosen, so that two starts never share it. */
async function startOn(call: Call, vm: string, pickHost: () => string, startPaused: boolean): Promise<void> {
  const { world, signal } = call;
  assertDisksFree(world, vm);
  const host = pickHost();
  reserve(world, vm, host);
  try {
    await world.latency.spend('start', signal, 0.5);
    call.progress(0.5);
    await world.latency.spend('start', signal, 0.5);
  } finally {
    unreserve(world, vm, host);
  }
  markRunning(world, vm, host, startPaused ? 'Paused' : 'Running');
  postMessage(world, 'VM_STARTED', vm);
  await bootGuest(world, vm);
}

/** Frees what the VM held; its disks stay. */
async function markHalted(world: World, vm: string, message = 'VM_SHUTDOWN'): Promise<void> {
  await stopGuest(world, vm);
  const { resident_on: host, metrics } = world.store.get('VM', vm);
  setAttached(world, vm, false);
  world.store.update('VM', vm, { power_state: 'Halted', resident_on: nullRef, domid: -1 });
  world.store.update('VM_metrics', metrics, { VCPUs_number: 0, memory_actual: 0 });
  if (host !== nullRef) refreshFreeMemory(world, host);
  postMessage(world, message, vm);
}

function assertGuestAgent(world: World, vm: string): void {
  if (world.store.get('VM', vm).guest_metrics === nullRef) throw new XapiError('VM_LACKS_FEATURE', vm);
}

async function reboot(call: Call, vm: string): Promise<void> {
  const { world } = call;
  await stopGuest(world, vm);
  call.progress(0.625);
  const { resident_on: host } = world.store.get('VM', vm);
  markRunning(world, vm, host, 'Running');
  postMessage(world, 'VM_REBOOTED', vm);
  await bootGuest(world, vm);
}

const live: readonly PowerState[] = ['Paused', 'Suspended', 'Running'];

function setPaused(call: Call, vm: string, name: 'pause' | 'unpause'): Promise<void> {
  const [from, to]: [PowerState, PowerState] = name === 'pause' ? ['Running', 'Paused'] : ['Paused', 'Running'];
  return vmOperation(call, vm, name, [from], () => {
    call.world.store.update('VM', vm, { power_state: to });
  });
}

async function cleanShutdown(call: Call, vm: string): Promise<void> {
  assertGuestAgent(call.world, vm);
  call.progress(0.25);
  await call.world.latency.spend('shutdown', call.signal);
  await markHalted(call.world, vm);
}

export const vmPower: Handlers = {
  'VM.start': (call, vm, paused) =>
    vmOperation(call, vm, 'start', ['Halted'], () => startOn(call, vm, () => chooseHost(call.world, vm), paused)),

  'VM.start_on': (call, vm, host, paused) => {
    const pick = () => {
      assertCanBootHere(call.world, vm, host);
      return host;
    };
    return vmOperation(call, vm, 'start_on', ['Halted'], () => startOn(call, vm, pick, paused));
  },

  'VM.clean_shutdown': (call, vm) =>
    vmOperation(call, vm, 'clean_shutdown', ['Running'], () => cleanShutdown(call, vm)),

  'VM.shutdown': (call, vm) =>
    vmOperation(call, vm, 'clean_shutdown', live, async () => {
      if (call.world.store.get('VM', vm).guest_metrics !== nullRef) return cleanShutdown(call, vm);
      return markHalted(call.world, vm);
    }),

  'VM.hard_shutdown': (call, vm) =>
    vmOperation(call, vm, 'hard_shutdown', live, async () => {
      call.progress(0.4286);
      await markHalted(call.world, vm);
    }),

  'VM.clean_reboot': (call, vm) =>
    vmOperation(call, vm, 'clean_reboot', ['Running'], async () => {
      assertGuestAgent(call.world, vm);
      await call.world.latency.spend('shutdown', call.signal);
      await reboot(call, vm);
    }),

  'VM.hard_reboot': (call, vm) => vmOperation(call, vm, 'hard_reboot', ['Paused', 'Running'], () => reboot(call, vm)),

  'VM.pause': (call, vm) => setPaused(call, vm, 'pause'),
  'VM.unpause': (call, vm) => setPaused(call, vm, 'unpause'),
};
