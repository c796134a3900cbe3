import type { Call, Handlers } from '../dispatch/call.ts';
import { pluginBehaviour } from '../patching/updater-plugin.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { stopGuest } from './guest-lifecycle.ts';
import { memoryOverheadBytes, freeMemoryBytes, refreshFreeMemory } from './memory.ts';
import { assertShadowMultiplier } from './vm-limits.ts';
import { takeDown } from './vm-power.ts';
import { statesFor } from './vm-states.ts';
import { vmOperation, vmWish } from './vm-support.ts';

const agentPlugin = 'guest-agent-operation';
const agentFunctions = ['request-rdp-on', 'request-rdp-off', 'run-script'];

/** The number of a running VM's vCPUs. Throws INVALID_VALUE. */
function setVcpus(world: World, vm: string, count: number): void {
  const { VCPUs_max: most, metrics } = world.store.get('VM', vm);
  if (count < 1 || count > most)
    throw new XapiError('INVALID_VALUE', 'VCPU values must satisfy: 0 < VCPUs ≤ VCPUs_max', String(count));
  world.store.update('VM', vm, { VCPUs_at_startup: count });
  world.store.update('VM_metrics', metrics, { VCPUs_number: count });
}

/** Throws INVALID_VALUE, HOST_NOT_ENOUGH_FREE_MEMORY. */
function setShadowMultiplier(world: World, vm: string, multiplier: number): void {
  assertShadowMultiplier(multiplier);
  const record = world.store.get('VM', vm);
  const neededBytes = memoryOverheadBytes({ ...record, HVM_shadow_multiplier: multiplier }) - record.memory_overhead;
  const freeBytes = freeMemoryBytes(world, record.resident_on);
  if (neededBytes > freeBytes)
    throw new XapiError('HOST_NOT_ENOUGH_FREE_MEMORY', String(neededBytes), String(freeBytes));
  world.store.update('VM', vm, { HVM_shadow_multiplier: multiplier });
  refreshFreeMemory(world, record.resident_on);
}

/** What the agent in the guest does on demand: the lab's guests know none of its functions. */
function callAgent(plugin: string, fn: string): never {
  if (plugin !== agentPlugin) throw new XapiError('XENAPI_MISSING_PLUGIN', plugin);
  if (!agentFunctions.includes(fn)) {
    const text = `The requested fn "${fn}" could not be found in plugin "${plugin}".`;
    throw new XapiError('XENAPI_PLUGIN_FAILURE', 'failed to find fn', text, text);
  }
  const text = `The requested fn "${fn}" of plugin "${plugin}" could not be executed for lack of guest agent control feature.`;
  throw new XapiError('XENAPI_PLUGIN_FAILURE', 'failed to execute fn', text, text);
}

/** A VM that is known to be somewhere cannot be lost from the records. Throws DOMAIN_EXISTS, HOST_IS_LIVE. */
function assertReallyGone(world: World, vm: string): void {
  const { resident_on: host, domid, is_control_domain: isControlDomain } = world.store.get('VM', vm);
  if (isControlDomain) throw new XapiError('CANNOT_RESET_CONTROL_DOMAIN', vm);
  if (host === nullRef) return;
  if (host === world.pool.master) throw new XapiError('DOMAIN_EXISTS', vm, String(domid));
  const { metrics } = world.store.get('host', host);
  if (world.store.get('host_metrics', metrics).live) throw new XapiError('HOST_IS_LIVE', host);
}

async function resetPowerState(world: World, vm: string): Promise<void> {
  assertReallyGone(world, vm);
  await stopGuest(world, vm);
  takeDown(world, vm, 'Halted');
}

/** Runs in the VM's turn, in the states in which the operation is possible. */
const during = (call: Call, vm: string, operation: string, work: () => unknown): Promise<unknown> =>
  vmOperation(call, vm, operation, statesFor(operation), work);

/** The daemon takes the call, and then says that it has nothing behind it. */
const notImplemented = (name: string) => (): never => {
  throw new XapiError('NOT_IMPLEMENTED', name);
};

/** What is done to a VM while it runs. */
export const vmLive: Handlers = {
  'VM.set_VCPUs_number_live': (call, vm, count) =>
    during(call, vm, 'changing_VCPUs_live', () => setVcpus(call.world, vm, count)),
  'VM.add_to_VCPUs_params_live': (call, vm) =>
    during(call, vm, 'changing_VCPUs_live', notImplemented('add_to_VCPUs_params_live')),
  'VM.set_shadow_multiplier_live': (call, vm, multiplier) =>
    during(call, vm, 'changing_shadow_memory_live', () => setShadowMultiplier(call.world, vm, multiplier)),
  'VM.set_memory_target_live': (call, vm) => during(call, vm, 'changing_memory_live', () => undefined),
  'VM.wait_memory_target_live': (call, vm) => during(call, vm, 'awaiting_memory_live', () => undefined),
  'VM.send_sysrq': (call, vm) => during(call, vm, 'send_sysrq', notImplemented('send_sysrq')),
  'VM.send_trigger': (call, vm) => during(call, vm, 'send_trigger', notImplemented('send_trigger')),
  'VM.call_plugin': (call, vm, plugin, fn) => during(call, vm, 'call_plugin', () => callAgent(plugin, fn)),
  'VM.call_host_plugin': (call, vm, plugin, fn, args) =>
    during(call, vm, 'call_plugin', () =>
      pluginBehaviour['host.call_plugin']?.(call, call.world.store.get('VM', vm).resident_on, plugin, fn, args),
    ),
  'VM.power_state_reset': (call, vm) =>
    vmWish(call, vm, { name: 'power_state_reset', states: statesFor('power_state_reset'), isLocal: true }, () =>
      resetPowerState(call.world, vm),
    ),
};
