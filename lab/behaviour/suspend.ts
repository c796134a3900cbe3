import type { Call, Handlers } from '../dispatch/call.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { stopGuest } from './guest-lifecycle.ts';
import { promise } from './ha-plan.ts';
import { assertCanStartOn, chooseHost } from './placement.ts';
import { createVdi, dropSuspendImage } from './vdi.ts';
import { bringUp, takeDown } from './vm-power.ts';
import { postMessage, vmOperation, whereabouts } from './vm-support.ts';

/** Where the VM's memory goes: its own choice, then the pool's, then its host's. */
function suspendSr(world: World, vm: string): string {
  const { suspend_SR: own, resident_on: host } = world.store.get('VM', vm);
  const { suspend_image_SR: pools } = world.store.get('pool', world.pool.ref);
  const { suspend_image_sr: hosts } = world.store.get('host', host);
  const found = [own, pools, hosts].find((sr) => world.store.find('SR', sr) !== undefined);
  if (found === undefined) throw new XapiError('VM_NO_SUSPEND_SR', vm);
  return found;
}

/** A disk for the VM's memory. Throws VM_NO_SUSPEND_SR, SR_BACKEND_FAILURE_44. */
export function createSuspendImage(world: World, vm: string): string {
  const { memory_static_max: memoryBytes, name_label: name } = world.store.get('VM', vm);
  const image = { SR: suspendSr(world, vm), virtual_size: memoryBytes, type: 'suspend', name_label: 'Suspend image' };
  return createVdi(world, { ...image, name_description: `Suspend image for ${name}` });
}

async function suspend({ world, signal }: Call, vm: string): Promise<void> {
  const vdi = createSuspendImage(world, vm);
  await world.latency.spend('shutdown', signal);
  await stopGuest(world, vm);
  postMessage(world, 'VM_SUSPENDED', vm, 'suspended');
  takeDown(world, vm, 'Suspended');
  promise(world, vm, false);
  world.store.update('VM', vm, { suspend_VDI: vdi });
}

/** Throws HANDLE_INVALID when the image is gone. */
async function resume(call: Call, vm: string, paused: boolean, pickHost: () => string): Promise<void> {
  const { world } = call;
  world.store.get('VDI', world.store.get('VM', vm).suspend_VDI);
  await bringUp(call, vm, pickHost, { paused, name: 'vm_resume' });
  dropSuspendImage(world, vm);
  postMessage(world, 'VM_RESUMED', vm, `resumed${whereabouts(world, vm)}`);
}

export const suspendBehaviour: Handlers = {
  'VM.suspend': (call, vm) => vmOperation(call, vm, 'suspend', ['Running'], () => suspend(call, vm)),
  'VM.resume': (call, vm, paused) =>
    vmOperation(call, vm, 'resume', ['Suspended'], () => resume(call, vm, paused, () => chooseHost(call.world, vm))),
  'VM.resume_on': (call, vm, host, paused) =>
    vmOperation(call, vm, 'resume_on', ['Suspended'], () =>
      resume(call, vm, paused, () => {
        assertCanStartOn(call.world, vm, host);
        return host;
      }),
    ),
};
