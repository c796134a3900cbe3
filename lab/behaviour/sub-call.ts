import type { Call } from '../dispatch/call.ts';
import { describeError } from '../dispatch/dispatcher.ts';

/**
 * Does a part of a call as a task of its own, as the daemon does when it calls itself: the part can be watched and cancelled
 * alone, and ends with the whole. Its task goes when the part is over.
 */
export async function asSubtask(call: Call, method: string, work: (part: Call) => Promise<void>): Promise<void> {
  const { world, host, operationId } = call;
  const { ref, signal } = world.tasks.start(`Async.${method}`, host);
  if (world.store.find('task', operationId) !== undefined) world.store.update('task', ref, { subtask_of: operationId });
  const part: Call = {
    ...call,
    method,
    operationId: ref,
    signal: AbortSignal.any([call.signal, signal]),
    progress: (fraction, cancelPointsSeen) => world.tasks.progress(ref, fraction, cancelPointsSeen),
    cancel: () => world.tasks.cancel(ref, `DummyRef:|${world.identities.uuid()}|task.cancel`),
  };
  try {
    await work(part);
    world.tasks.succeed(ref, '<value></value>');
  } catch (error) {
    world.tasks.fail(ref, describeError(error));
    throw error;
  } finally {
    if (world.store.find('task', ref) !== undefined) world.store.destroy('task', ref);
  }
}
