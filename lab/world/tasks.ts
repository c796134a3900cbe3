import { XapiError } from '../xapi-error.ts';
import { formatDate, never, parseDate } from './dates.ts';
import { nullRef } from './identities.ts';
import type { Latency } from './latency.ts';
import type { Store } from './store.ts';

const completedTaskTimeoutMs = 3_900_000;
const pendingTaskTimeoutMs = 86_400_000;
/** However fast the lab is, whoever asked for the task can still read how it ended: clients are no faster than life. */
const readableMs = 10_000;

export const isPending = (status: string): boolean => status === 'pending' || status === 'cancelling';

/** The tasks of Async calls and of clients: progress, result, cancellation, expiry. */
export class Tasks {
  private readonly store: Store;
  private readonly latency: Latency;
  private readonly controllers = new Map<string, AbortController>();

  constructor(store: Store, latency: Latency) {
    this.store = store;
    this.latency = latency;
  }

  /** For an Async call: it can be cancelled while it runs. */
  start(label: string, host: string): { ref: string; signal: AbortSignal } {
    const ref = this.create(label, '', host, ['cancel']);
    const controller = new AbortController();
    this.controllers.set(ref, controller);
    return { ref, signal: controller.signal };
  }

  create(label: string, description: string, host: string, allowed: readonly string[] = []): string {
    return this.store.create('task', {
      name_label: label,
      name_description: description,
      allowed_operations: allowed,
      created: formatDate(Date.now()),
      finished: never,
      status: 'pending',
      resident_on: host,
      type: '<none/>',
      subtask_of: nullRef,
    });
  }

  /** `cancelPointsSeen` is given where the genuine daemon passes the last point at which it could be cancelled, and notes their number. */
  progress(ref: string, fraction: number, cancelPointsSeen?: number): void {
    const task = this.store.find('task', ref);
    if (task === undefined) return;
    const points = { 'debug_info:cancel_points_seen': String(cancelPointsSeen), ...task.other_config };
    const passed = cancelPointsSeen === undefined ? {} : { allowed_operations: [], other_config: points };
    this.store.update('task', ref, { progress: fraction, ...passed });
  }

  /** `result` is XML-RPC text: `<value>…</value>`. */
  succeed(ref: string, result: string): void {
    this.finish(ref, 'success', { result });
  }

  /** A task whose cancellation was asked for ends as cancelled, without an error. */
  fail(ref: string, error: readonly string[]): void {
    const wasCancelled = this.controllers.get(ref)?.signal.aborted === true && error[0] === 'TASK_CANCELLED';
    this.finish(ref, wasCancelled ? 'cancelled' : 'failure', { error_info: wasCancelled ? [] : error });
  }

  /** The task of a call that waited for its result: it ends with the call and leaves no receipt. */
  forget(ref: string): void {
    this.controllers.delete(ref);
    if (this.store.find('task', ref) !== undefined) this.store.destroy('task', ref);
  }

  /** Asking for it is all: a task that is done, or that pays no heed, ends as it would have. Throws HANDLE_INVALID. */
  cancel(ref: string, by: string): void {
    const task = this.store.get('task', ref);
    if (!isPending(task.status)) return;
    this.store.update('task', ref, { current_operations: { ...task.current_operations, [by]: 'cancel' } });
    this.controllers.get(ref)?.abort(new XapiError('TASK_CANCELLED', ref));
  }

  /** Removes what the daemon's sweep would remove at this moment. */
  expire(nowMs: number): void {
    for (const [ref, task] of this.store.records('task')) {
      const [since, limitMs] = isPending(task.status)
        ? [task.created, pendingTaskTimeoutMs]
        : [task.finished, completedTaskTimeoutMs];
      if (nowMs - parseDate(since) > Math.max(readableMs, this.latency.timeoutMs(limitMs)))
        this.store.destroy('task', ref);
    }
  }

  /** A coordinator that starts knows of no task. */
  forgetAll(): void {
    for (const ref of this.store.refs('task')) this.store.destroy('task', ref);
    this.controllers.clear();
  }

  /** The fields are written one by one by the genuine daemon, the status last: a reader may see the end before the status tells. */
  private finish(ref: string, status: string, outcome: { result?: string; error_info?: readonly string[] }): void {
    this.controllers.delete(ref);
    if (this.store.find('task', ref) === undefined) return;
    const finished = formatDate(Date.now());
    this.store.update('task', ref, { ...outcome, allowed_operations: [], progress: 1, finished });
    this.store.update('task', ref, { status });
  }
}
