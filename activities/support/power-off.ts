import type { Ref } from '../../adapters/xapi/ref.ts';
import type { Xapi } from '../../adapters/xapi/xapi.ts';
import type { StepContext } from '../step.ts';

/** Switches a VM off from whatever state it is in; one that is off already is left alone. */
export async function powerOff(ctx: StepContext, xapi: Xapi, vm: Ref<'VM'>): Promise<void> {
  if ((await xapi.call('VM.get_power_state', vm)) === 'Halted') return;
  await xapi.task(ctx.memory('off'), 'VM.hard_shutdown', vm);
}
