import { internalCall } from '../dispatch/call.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { startVm } from './vm-power.ts';

const isOn = (config: Readonly<Record<string, string>>): boolean => config['auto_poweron'] === 'true';

/** What a host's boot ends with: it starts the VMs that ask for it, if the pool allows it; what does not fit stays down. */
export function startAutomatically(world: World): void {
  if (!isOn(world.store.get('pool', world.pool.ref).other_config)) return;
  const waiting = world.store
    .records('VM')
    .filter(([, vm]) => isOn(vm.other_config) && vm.power_state === 'Halted' && !vm.is_a_template && !vm.is_a_snapshot);
  for (const [vm] of waiting) {
    world.machines.run(async () => {
      await startVm(internalCall(world, 'VM.start'), vm).catch((error: unknown) => {
        if (!(error instanceof XapiError)) throw error;
      });
    });
  }
}
