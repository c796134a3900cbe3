import type { Handlers } from '../dispatch/call.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { assertPowerState } from './vm-support.ts';

const mostOfAVm = 6;

/** One device, and so one VM, for each group. */
function assertCanHave({ store }: World, vm: string, group: string): void {
  if (store.get('VM', vm).VUSBs.length >= mostOfAVm) throw new XapiError('TOO_MANY_VUSBS', String(mostOfAVm));
  const { VUSBs: vusbs, PUSBs: pusbs } = store.get('USB_group', group);
  if (vusbs.length > 0) throw new XapiError('USB_GROUP_CONFLICT', group);
  if (pusbs.length === 0) throw new XapiError('USB_GROUP_CONTAINS_NO_PUSBS', group);
}

function destroy({ store }: World, vusb: string): void {
  const { uuid, VM: vm, currently_attached: attached } = store.get('VUSB', vusb);
  const { uuid: vmUuid, power_state: state } = store.get('VM', vm);
  if (attached && state === 'Running')
    throw new XapiError('OPERATION_NOT_ALLOWED', `VUSB '${uuid}' still attached to '${vmUuid}'`);
  store.destroy('VUSB', vusb);
}

/** USB devices of VMs, as records (xapi_vusb.ml). */
export const vusbBehaviour: Handlers = {
  'VUSB.create': ({ world }, vm, group, config = {}) => {
    assertCanHave(world, vm, group);
    return world.store.create('VUSB', { VM: vm, USB_group: group, other_config: config });
  },
  'VUSB.unplug': ({ world }, vusb) => {
    assertPowerState(world, world.store.get('VUSB', vusb).VM, ['Running']);
    if (!world.store.get('VUSB', vusb).currently_attached) throw new XapiError('DEVICE_ALREADY_DETACHED', vusb);
    world.store.update('VUSB', vusb, { currently_attached: false });
  },
  'VUSB.destroy': ({ world }, vusb) => destroy(world, vusb),
};
