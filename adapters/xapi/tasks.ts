import getTaskResult from 'xen-api/_getTaskResult.mjs';
import { OperationFailure } from '../../domain/errors.ts';
import type { TaskRecord, XapiMessages } from './messages.generated.ts';
import { nativeFailure, type FailureContext } from './to-failure.ts';

export type Call = <M extends keyof XapiMessages>(
  method: M,
  ...params: XapiMessages[M]['params']
) => Promise<XapiMessages[M]['result']>;

export async function recordOfTask(call: Call, taskRef: string): Promise<TaskRecord | undefined> {
  try {
    return await call('task.get_record', taskRef);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Progress, end time and error are written before the status: the status alone tells the end. */
export function isPending(task: TaskRecord): boolean {
  return task.status === 'pending' || task.status === 'cancelling';
}

/** The result of an ended task, as XAPI's own value: text, reference, list of references; throws what it failed with. */
export async function resultOfTask(task: TaskRecord, context: FailureContext): Promise<unknown> {
  if (task.status === 'success') return getTaskResult(task);
  const [code, ...params] = task.status === 'cancelled' ? ['TASK_CANCELLED', task.uuid] : task.error_info;
  throw nativeFailure({ code: code ?? 'INTERNAL_ERROR', params }, context);
}

export async function cancelTask(call: Call, taskRef: string): Promise<void> {
  try {
    await call('task.cancel', taskRef);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** Tidies up an ended task. That it fails is no reason to fail what has ended: XAPI drops ended tasks after an hour by itself. */
export async function destroyTask(call: Call, taskRef: string): Promise<void> {
  await Promise.allSettled([call('task.destroy', taskRef)]);
}

function isGone(error: unknown): boolean {
  return error instanceof OperationFailure && error.details.native?.code === 'HANDLE_INVALID';
}
