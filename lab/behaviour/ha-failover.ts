import { internalCall } from '../dispatch/call.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { haIsOn, protectedVms, refreshPlan } from './ha-plan.ts';
import { postMessage } from './vm-support.ts';
import { startVm } from './vm-power.ts';

/** A VM that fits nowhere stays down until a host comes back. */
async function startIfPossible(world: World, vm: string): Promise<void> {
  try {
    if (world.store.find('VM', vm)?.power_state === 'Halted') await startVm(internalCall(world, 'VM.start'), vm);
  } catch (error) {
    if (!(error instanceof XapiError)) throw error;
    postMessage(world, 'HA_PROTECTED_VM_RESTART_FAILED', vm, 'could not be restarted');
  }
}

/** By their order, those of the same place together; the next place waits for the longest start_delay of the one before. */
async function startInOrder(world: World, vms: readonly string[]): Promise<void> {
  const orderOf = (vm: string) => world.store.get('VM', vm).order;
  for (const order of [...new Set(vms.map(orderOf))].sort((a, b) => a - b)) {
    const together = vms.filter((vm) => orderOf(vm) === order);
    const delaySeconds = Math.max(...together.map((vm) => world.store.get('VM', vm).start_delay));
    await Promise.all(together.map((vm) => startIfPossible(world, vm)));
    if (delaySeconds > 0) await world.latency.spendTimeout(delaySeconds * 1000, world.closing.signal);
  }
}

/** What the pool promised to keep running first, then, of what has just failed, what it is to restart if it can. */
export async function restartVms(world: World, failed: readonly string[]): Promise<void> {
  if (!haIsOn(world)) return;
  refreshPlan(world);
  await world.restartHold.passed();
  const isHalted = (vm: string) => world.store.find('VM', vm)?.power_state === 'Halted';
  await startInOrder(world, protectedVms(world).filter(isHalted));
  const modest = failed.filter((vm) => world.store.find('VM', vm)?.ha_restart_priority === 'best-effort');
  await startInOrder(world, modest.filter(isHalted));
  refreshPlan(world);
}
