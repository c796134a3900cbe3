import type { Call, Handlers } from '../dispatch/call.ts';
import type { Records } from '../model/records.ts';
import { noGuidances } from '../patching/guidances.ts';
import { formatDate } from '../world/dates.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { genericBios } from './bios-strings.ts';
import { pcisFor } from './boot-checks.ts';
import { bootGuest, dropReport, silenceReport, stopGuest } from './guest-lifecycle.ts';
import { assertPlanAllowsStart, promise } from './ha-plan.ts';
import { assertHostReachable } from './host-support.ts';
import { refreshFreeMemory } from './memory.ts';
import { assertCanStartOn, chooseHost } from './placement.ts';
import { withRoomOn } from './reservation.ts';
import { assertOneWriter, attachIfFree } from './vbd.ts';
import { dropSuspendImage } from './vdi.ts';
import type { PowerState } from './vm-support.ts';
import { postMessage, vmOperation, whereabouts } from './vm-support.ts';

function setAttached(world: World, vm: string, attached: boolean): void {
  const { VBDs: vbds, VIFs: vifs } = world.store.get('VM', vm);
  for (const vif of vifs) world.store.update('VIF', vif, { currently_attached: attached });
  for (const vbd of vbds) {
    if (attached) attachIfFree(world, vbd);
    else world.store.update('VBD', vbd, { currently_attached: false });
  }
}

/** What the first start of a VM writes down about the machine that it found. */
function bootSettings({ platform, bios_strings: bios }: Records['VM']): Partial<Records['VM']> {
  return {
    platform: { ...('device-model' in platform ? {} : { 'device-model': 'qemu-upstream-compat' }), ...platform },
    last_boot_CPU_flags: { vendor: 'GenuineIntel', features: '' },
    bios_strings: Object.keys(bios).length > 0 ? bios : genericBios,
  };
}

export function markRunning(world: World, vm: string, host: string, state: PowerState): void {
  const { metrics, VCPUs_at_startup: vcpus, memory_dynamic_max: memoryBytes } = world.store.get('VM', vm);
  setAttached(world, vm, true);
  world.store.update('VM', vm, {
    power_state: state,
    resident_on: host,
    attached_PCIs: pcisFor(world, vm, host),
    domid: world.nextDomid(),
    memory_target: memoryBytes,
    ...bootSettings(world.store.get('VM', vm)),
  });
  world.store.update('VM_metrics', metrics, {
    start_time: formatDate(Date.now()),
    VCPUs_number: vcpus,
    VCPUs_utilisation: { '0': 0 },
    memory_actual: memoryBytes,
    hvm: true,
    current_domain_type: 'hvm',
  });
  refreshFreeMemory(world, host);
}

/** `name` is what the host shows meanwhile. */
export async function bringUp(
  call: Call,
  vm: string,
  pickHost: () => string,
  { paused, name }: { readonly paused: boolean; readonly name: 'vm_start' | 'vm_resume' },
): Promise<void> {
  const { world, signal } = call;
  assertOneWriter(world, world.store.get('VM', vm).VBDs);
  const host = pickHost();
  assertPlanAllowsStart(world, vm, host);
  await withRoomOn(call, vm, host, name, async () => {
    await world.latency.spend('start', signal, 0.5);
    call.progress(0.5, 6);
    await world.latency.spend('start', signal, 0.5);
    assertHostReachable(world, host);
    markRunning(world, vm, host, paused ? 'Paused' : 'Running');
    promise(world, vm, true);
  });
  await bootGuest(world, vm);
}

/** As VM.start does it: on a host of the pool's choice. */
export function startVm(call: Call, vm: string, paused = false): Promise<void> {
  return vmOperation(call, vm, 'start', ['Halted'], () => startOn(call, vm, () => chooseHost(call.world, vm), paused));
}

async function startOn(call: Call, vm: string, pickHost: () => string, paused: boolean): Promise<void> {
  dropReport(call.world, vm);
  await bringUp(call, vm, pickHost, { paused, name: 'vm_start' });
  postMessage(call.world, 'VM_STARTED', vm, `started${whereabouts(call.world, vm)}`);
}

/** Frees what the VM held on its host; its disks stay. The guest has to be stopped before. */
export function takeDown(world: World, vm: string, state: 'Halted' | 'Suspended'): void {
  const { resident_on: host, metrics } = world.store.get('VM', vm);
  setAttached(world, vm, false);
  if (state === 'Halted') world.store.update('VM', vm, noGuidances);
  const freed = { resident_on: nullRef, domid: -1, memory_target: 0, attached_PCIs: [] };
  world.store.update('VM', vm, { power_state: state, ...freed });
  world.store.update('VM_metrics', metrics, { VCPUs_number: 0, memory_actual: 0 });
  if (host !== nullRef) refreshFreeMemory(world, host);
}

/** Like pulling the plug, if `how` does not say otherwise: an image of its memory goes as well. */
export async function halt(world: World, vm: string, how = 'shutdown forcibly'): Promise<void> {
  await stopGuest(world, vm);
  postMessage(world, 'VM_SHUTDOWN', vm, how);
  takeDown(world, vm, 'Halted');
  promise(world, vm, false);
  dropSuspendImage(world, vm);
}

async function reboot(call: Call, vm: string, how: 'cleanly' | 'forcibly'): Promise<void> {
  const { world } = call;
  await stopGuest(world, vm);
  silenceReport(world, vm);
  call.progress(0.9375, 17);
  const { resident_on: host } = world.store.get('VM', vm);
  world.store.update('VM', vm, noGuidances);
  markRunning(world, vm, host, 'Running');
  postMessage(world, 'VM_REBOOTED', vm, `rebooted ${how}`);
  await bootGuest(world, vm);
}

const live: readonly PowerState[] = ['Paused', 'Suspended', 'Running'];

function setPaused(call: Call, vm: string, name: 'pause' | 'unpause'): Promise<void> {
  const [from, to]: [PowerState, PowerState] = name === 'pause' ? ['Running', 'Paused'] : ['Paused', 'Running'];
  return vmOperation(call, vm, name, [from], () => {
    call.world.store.update('VM', vm, { power_state: to });
    postMessage(call.world, name === 'pause' ? 'VM_PAUSED' : 'VM_UNPAUSED', vm, `${name}d`);
  });
}

async function cleanShutdown(call: Call, vm: string): Promise<void> {
  call.progress(0.25);
  await call.world.latency.spend('shutdown', call.signal);
  await call.world.runningGuests.get(vm)?.shutDown();
  call.progress(0.9, 9);
  await halt(call.world, vm, 'shutdown');
}

export const vmPower: Handlers = {
  'VM.start': (call, vm, paused) => startVm(call, vm, paused),

  'VM.start_on': (call, vm, host, paused) => {
    const pick = () => {
      assertCanStartOn(call.world, vm, host);
      return host;
    };
    return vmOperation(call, vm, 'start_on', ['Halted'], () => startOn(call, vm, pick, paused));
  },

  'VM.clean_shutdown': (call, vm) =>
    vmOperation(call, vm, 'clean_shutdown', ['Running'], () => cleanShutdown(call, vm)),

  'VM.shutdown': (call, vm) =>
    vmOperation(call, vm, 'shutdown', live, async () => {
      if (call.world.store.get('VM', vm).guest_metrics !== nullRef) return cleanShutdown(call, vm);
      return halt(call.world, vm, 'shutdown');
    }),

  'VM.hard_shutdown': (call, vm) =>
    vmOperation(call, vm, 'hard_shutdown', live, async () => {
      call.progress(0.4286);
      await halt(call.world, vm);
    }),

  'VM.clean_reboot': (call, vm) =>
    vmOperation(call, vm, 'clean_reboot', ['Running'], async () => {
      await call.world.latency.spend('shutdown', call.signal);
      await call.world.runningGuests.get(vm)?.shutDown();
      await reboot(call, vm, 'cleanly');
    }),

  'VM.hard_reboot': (call, vm) =>
    vmOperation(call, vm, 'hard_reboot', ['Paused', 'Running'], () => reboot(call, vm, 'forcibly')),

  'VM.pause': (call, vm) => setPaused(call, vm, 'pause'),
  'VM.unpause': (call, vm) => setPaused(call, vm, 'unpause'),
};
