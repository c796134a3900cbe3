import type { Call } from '../dispatch/call.ts';
import type { Records } from '../model/records.ts';
import type { World } from '../world/world.ts';
import { nullRef } from '../world/identities.ts';
import { isIn } from '../model/releases.ts';
import { postAlert } from './alert.ts';
import { assertHostReachable } from './host-support.ts';
import { XapiError } from '../xapi-error.ts';
import { snapshotOperations, templateOperations } from './allowed-operations.ts';

export type PowerState = 'Halted' | 'Paused' | 'Running' | 'Suspended';

/** What a VM can do only through an agent inside of it. */
const needsAgent: ReadonlySet<string> = new Set([
  ...['clean_shutdown', 'clean_reboot', 'changing_VCPUs_live', 'suspend', 'checkpoint', 'pool_migrate', 'migrate_send'],
]);
/** What takes a VM's memory away from the hardware under it. */
const leavesHardware: ReadonlySet<string> = new Set(['suspend', 'checkpoint', 'pool_migrate', 'migrate_send']);

/** A network whose interfaces are virtual functions of a network card. */
function isSriov(world: World, network: string): boolean {
  const pifs = world.store.find('network', network)?.PIFs ?? [];
  return pifs.some((ref) => world.store.get('PIF', ref).sriov_logical_PIF_of.length > 0);
}

function assertNotPinned(world: World, vm: string): void {
  const { VGPUs: vgpus, VIFs: vifs, attached_PCIs: pcis } = world.store.get('VM', vm);
  if (vgpus.length > 0) throw new XapiError('VM_HAS_VGPU', vm);
  if (vifs.some((vif) => isSriov(world, world.store.get('VIF', vif).network)))
    throw new XapiError('VM_HAS_SRIOV_VIF', vm);
  if (pcis.length > 0) throw new XapiError('VM_HAS_PCI_ATTACHED', vm);
}

/** Templates may be given other memory and CPUs too, though their allowed operations do not say so (xen-api, xapi_vm_lifecycle.ml). */
const possibleOnTemplates = new Set([
  ...templateOperations,
  'changing_memory_limits',
  'changing_VCPUs',
  'metadata_export',
]);

function assertNoTemplate(record: Records['VM'], vm: string, operation: string): void {
  if (record.is_a_snapshot) {
    if (!snapshotOperations.includes(operation)) throw new XapiError('VM_IS_SNAPSHOT', vm, operation);
  } else if (record.is_a_template && !possibleOnTemplates.has(operation))
    throw new XapiError('VM_IS_TEMPLATE', vm, operation);
}

export interface Wish {
  readonly name: string;
  readonly states: readonly PowerState[];
  /** Do it although the guest has no agent that would help. */
  readonly force?: boolean;
  /** The coordinator does it alone: it needs nobody on the VM's host. */
  readonly isLocal?: boolean;
}

/** Throws the first official reason why the VM cannot do this now, whatever else it does: blocked, power state, template, agent, hardware. */
export function assertVmCan(world: World, vm: string, { name, states, force = false, isLocal = false }: Wish): void {
  const record = world.store.get('VM', vm);
  const blocked = record.blocked_operations[name];
  if (blocked !== undefined) throw new XapiError('OPERATION_BLOCKED', vm, blocked);
  assertPowerState(world, vm, states);
  if (!isLocal && world.store.find('host', record.resident_on) !== undefined)
    assertHostReachable(world, record.resident_on);
  assertNoTemplate(record, vm, name);
  if (record.is_control_domain) throw new XapiError('OPERATION_NOT_ALLOWED', 'Operations on domain 0 are not allowed');
  if (!['Running', 'Paused'].includes(record.power_state)) return;
  const lacksAgent = record.power_state === 'Running' && record.guest_metrics === nullRef;
  if (lacksAgent && needsAgent.has(name) && !force) throw new XapiError('VM_LACKS_FEATURE', vm);
  if (leavesHardware.has(name)) assertNotPinned(world, vm);
}

/** The official error of a VM that something is being done with. */
export function busyWith(world: World, vm: string): readonly string[] | undefined {
  const [current] = Object.entries(world.store.get('VM', vm).current_operations);
  return current === undefined ? undefined : ['OTHER_OPERATION_IN_PROGRESS', 'VM', vm, current[1], current[0]];
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
  return vmWish(call, vm, { name, states }, work);
}

/** As `vmOperation`. */
export async function vmWish<T>(call: Call, vm: string, wish: Wish, work: () => T | Promise<T>): Promise<T> {
  const check = () => assertVmCan(call.world, vm, wish);
  const operation = { cls: 'VM', ref: vm, name: wish.name, id: call.operationId, signal: call.signal, check } as const;
  return call.world.operations.run(operation, call.cancel, work);
}

/** Since then a message about a VM gives its uuid, and there are more of them (pull request 4439 of the Xapi project). */
const talkative = '21.3.0';
const younger: ReadonlySet<string> = new Set([
  ...['VM_SNAPSHOTTED', 'VM_CHECKPOINTED', 'VM_SNAPSHOT_REVERTED', 'VM_PAUSED', 'VM_UNPAUSED', 'VM_MIGRATED'],
]);

/** ` on host: NAME (uuid: UUID)`, as messages say where a VM is. */
export function whereabouts(world: World, vm: string): string {
  const host = world.store.find('host', world.store.get('VM', vm).resident_on);
  return host === undefined ? '' : ` on host: ${host.name_label} (uuid: ${host.uuid})`;
}

/** An alert of the pool about a VM, as clients see it among the messages; `what` happened, in the daemon's words. */
export function postMessage(world: World, name: string, vm: string, what: string): void {
  const { uuid, name_label: label } = world.store.get('VM', vm);
  const isTalkative = isIn(talkative, world.product.model.release);
  if (younger.has(name) && !isTalkative) return;
  postAlert(world, name, 'VM', uuid, `VM '${label}' ${isTalkative ? `(uuid: ${uuid}) ` : ''}${what}`);
}

/** The references of a VM's disks, without empty drives. */
export function vdisOf(world: World, vm: string): { vbd: string; vdi: string }[] {
  return world.store
    .get('VM', vm)
    .VBDs.map((vbd) => ({ vbd, vdi: world.store.get('VBD', vbd).VDI }))
    .filter(({ vdi }) => vdi !== nullRef && world.store.find('VDI', vdi) !== undefined);
}

/** Of the VM's disks, without what is in its CD drives. */
export const disksOf = (world: World, vm: string): string[] =>
  vdisOf(world, vm)
    .filter(({ vbd }) => world.store.get('VBD', vbd).type !== 'CD')
    .map(({ vdi }) => vdi);
