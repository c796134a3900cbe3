import type { Call } from '../dispatch/call.ts';
import type { World } from '../world/world.ts';
import { formatDate } from '../world/dates.ts';
import { nullRef } from '../world/identities.ts';
import { alertPriorities } from '../model/model.ts';
import { assertHostReachable } from './host-support.ts';
import { XapiError } from '../xapi-error.ts';

export type PowerState = 'Halted' | 'Paused' | 'Running' | 'Suspended';

/** Operations that only a real VM may do, not a template or a snapshot. */
const notForTemplates: ReadonlySet<string> = new Set([
  'start',
  'start_on',
  'pause',
  'unpause',
  'suspend',
  'resume',
  'resume_on',
  'clean_shutdown',
  'clean_reboot',
  'hard_shutdown',
  'hard_reboot',
  'pool_migrate',
]);

/** Throws the first official reason why the VM cannot do this now: blocked, snapshot, template, power state. */
function assertVmCan(world: World, vm: string, operation: string, states: readonly PowerState[]): void {
  const record = world.store.get('VM', vm);
  const blocked = record.blocked_operations[operation];
  if (blocked !== undefined) throw new XapiError('OPERATION_BLOCKED', vm, blocked);
  if (notForTemplates.has(operation)) {
    if (record.is_a_snapshot) throw new XapiError('VM_IS_SNAPSHOT', vm, operation);
    if (record.is_a_template) throw new XapiError('VM_IS_TEMPLATE', vm, operation);
  }
  assertPowerState(world, vm, states);
  if (world.store.find('host', record.resident_on) !== undefined) assertHostReachable(world, record.resident_on);
}

export function assertPowerState(world: World, vm: string, states: readonly PowerState[]): void {
  const { power_state: actual } = world.store.get('VM', vm);
  if (states.some((state) => state === actual)) return;
  throw new XapiError('VM_BAD_POWER_STATE', vm, states.join(', ').toLowerCase(), actual.toLowerCase());
}

/** Runs an operation of a VM in its turn; other calls see it in current_operations meanwhile. */
export async function vmOperation<T>(
  call: Call,
  vm: string,
  name: string,
  states: readonly PowerState[],
  work: () => T | Promise<T>,
): Promise<T> {
  const check = () => assertVmCan(call.world, vm, name, states);
  const operation = { cls: 'VM', ref: vm, name, id: call.operationId, signal: call.signal, check } as const;
  return call.world.operations.run(operation, call.cancel, work);
}

/** An alert of the pool about a VM, as clients see it among the messages. */
export function postMessage(world: World, name: string, vm: string): void {
  const { uuid, name_label: label, resident_on: home } = world.store.get('VM', vm);
  const host = world.store.find('host', home);
  const where = host === undefined ? '' : ` on host: ${host.name_label} (uuid: ${host.uuid})`;
  world.store.create('message', {
    name,
    priority: alertPriorities.get(name) ?? 5,
    cls: 'VM',
    obj_uuid: uuid,
    timestamp: formatDate(Date.now()),
    body: `VM '${label}' (uuid: ${uuid}) ${name.replace('VM_', '').toLowerCase()}${where}`,
  });
}

/** The references of a VM's disks, without empty drives. */
export function vdisOf(world: World, vm: string): { vbd: string; vdi: string }[] {
  return world.store
    .get('VM', vm)
    .VBDs.map((vbd) => ({ vbd, vdi: world.store.get('VBD', vbd).VDI }))
    .filter(({ vdi }) => vdi !== nullRef && world.store.find('VDI', vdi) !== undefined);
}
