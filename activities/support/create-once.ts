import type { AsyncMethod, XapiMessages } from '../../adapters/xapi/messages.generated.ts';
import type { Xapi } from '../../adapters/xapi/xapi.ts';
import type { StepContext } from '../step.ts';

/** How long a late task of an earlier delivery is waited for before the step is repeated from the start. */
const SETTLE_TIMEOUT_MS = 60_000;

/**
 * Creates an object that carries our mark, exactly once over all deliveries of the step. An earlier delivery may have
 * started the task and lost the answer: its task is re-attached to where the reference is known; where it is not, what
 * may still be under way is waited for, and only then looked for by the mark.
 */
export async function createOnce<M extends AsyncMethod, Found extends XapiMessages[M]['result']>(
  ctx: StepContext,
  xapi: Xapi,
  key: string,
  find: () => Promise<Found | undefined>,
  method: M,
  ...params: XapiMessages[M]['params']
): Promise<XapiMessages[M]['result']> {
  const memory = ctx.memory(key);
  if (memory.taskRef === undefined && ctx.redelivered) await settle(ctx, xapi, method, key);
  if (memory.taskRef === undefined) {
    const found = await find();
    if (found !== undefined) return found;
  }
  return xapi.task(memory, method, ...params);
}

/** For an undo: what the step started may create its object after we looked, so nothing may be pending when we look. */
export async function settle(ctx: StepContext, xapi: Xapi, method: AsyncMethod, key?: string): Promise<void> {
  await xapi.settleTasks(ctx.memory(key), method, { timeoutMs: SETTLE_TIMEOUT_MS });
}
