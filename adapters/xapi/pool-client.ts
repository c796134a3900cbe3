import { OperationFailure } from '../../domain/errors.ts';
import type { PoolConnection } from './connection.ts';
import { dropImports, importRawVdi } from './import-raw-vdi.ts';
import { KnownRefs } from './known-refs.ts';
import type { AsyncMethod, TaskRecord, XapiMessages } from './messages.generated.ts';
import type { Ref } from './ref.ts';
import { TaskWatch, type TaskChanges } from './task-watch.ts';
import { cancelTask, destroyTask, isPending, resultOfTask, type Call } from './tasks.ts';
import { toFailure, type FailureContext } from './to-failure.ts';
import type { LookedUpClass, PoolSettings, TaskMemory, Xapi } from './xapi.ts';

/** Told of every message to a pool: its name, how long the answer took, and whether it was one. */
export type XapiObserver = (call: {
  readonly pool: string;
  readonly method: string;
  readonly outcome: 'ok' | 'failed';
  readonly durationMs: number;
}) => void;

/** The typed port in front of xen-api. */
export class PoolClient implements Xapi {
  readonly poolId: string;
  readonly guestSshPort: number;
  readonly #connection: PoolConnection;

  readonly #observe: XapiObserver;

  constructor(
    settings: Pick<PoolSettings, 'id' | 'guestSshPort'>,
    connection: PoolConnection,
    observe: XapiObserver = () => undefined,
  ) {
    this.#observe = observe;
    this.poolId = settings.id;
    this.guestSshPort = settings.guestSshPort;
    this.#connection = connection;
  }

  readonly call: Call = async (method, ...params) => {
    return (await this.#send(method, params)) as XapiMessages[typeof method]['result'];
  };

  readonly #knownRefs = new KnownRefs();

  refOf<C extends LookedUpClass>(cls: C, uuid: string): Promise<Ref<C>> {
    return this.#knownRefs.of<C>(cls, uuid, (): Promise<string> => this.call(`${cls}.get_by_uuid`, uuid));
  }

  readonly #tasks = new TaskWatch(
    this.call,
    async (...params) => (await this.#send('event.from', params)) as TaskChanges,
  );

  async task<M extends AsyncMethod>(
    memory: TaskMemory,
    method: M,
    ...params: XapiMessages[M]['params']
  ): Promise<XapiMessages[M]['result']> {
    const context = this.#context(method, params);
    const taskRef = memory.taskRef ?? (await this.#start(memory, method, params));
    const ended = await this.#tasks.end(taskRef, memory.signal);
    memory.forget();
    if (ended === undefined) throw taskGone(taskRef, context);
    await destroyTask(this.call, taskRef);
    // A remembered task of another kind is an earlier part of the same step: waited for, then out of the way.
    if (ended.name_label !== nameOfTask(method)) return this.task(memory, method, ...params);
    try {
      return (await resultOfTask(ended, context)) as XapiMessages[M]['result'];
    } catch (error) {
      throw this.#unlessOutOfDate(toFailure(error, context));
    }
  }

  async settleTasks(
    memory: TaskMemory,
    method: AsyncMethod,
    { timeoutMs, cancel = false }: { readonly timeoutMs: number; readonly cancel?: boolean },
  ): Promise<void> {
    const deadline = AbortSignal.any([memory.signal, AbortSignal.timeout(timeoutMs)]);
    try {
      if (memory.taskRef === undefined) await this.#settleAllCalled(nameOfTask(method), deadline);
      else await this.#settleOwn(memory, memory.taskRef, cancel, deadline);
    } catch (error) {
      if (error !== deadline.reason || memory.signal.aborted) throw error;
      throw this.#stillBusy(method, timeoutMs);
    }
  }

  importRawVdi(memory: TaskMemory, mark: string, vdi: Ref<'VDI'>, content: Buffer): Promise<void> {
    const context = { ...this.#context('PUT /import_raw_vdi', []), object: `VDI ${vdi}` };
    return importRawVdi(
      { connection: this.#connection, call: this.call, tasks: this.#tasks, context },
      memory,
      mark,
      vdi,
      content,
    );
  }

  dropImports(mark: string): Promise<void> {
    return dropImports(this.call, mark);
  }

  async #start(memory: TaskMemory, method: AsyncMethod, params: readonly unknown[]): Promise<string> {
    const taskRef = String(await this.#send(nameOfTask(method), params));
    memory.remember(taskRef);
    return taskRef;
  }

  async #settleOwn(memory: TaskMemory, taskRef: string, cancel: boolean, deadline: AbortSignal): Promise<void> {
    if (cancel) await cancelTask(this.call, taskRef);
    await this.#tasks.end(taskRef, deadline);
    memory.forget();
    await destroyTask(this.call, taskRef);
  }

  async #settleAllCalled(name: string, deadline: AbortSignal): Promise<void> {
    const tasks: Record<string, TaskRecord> = await this.call('task.get_all_records');
    const underWay = Object.entries(tasks).filter(([, task]) => task.name_label === name && isPending(task));
    await Promise.all(underWay.map(([taskRef]) => this.#tasks.end(taskRef, deadline)));
  }

  async #send(method: string, params: readonly unknown[]): Promise<unknown> {
    const begunMs = performance.now();
    const tell = (outcome: 'ok' | 'failed') =>
      this.#observe({ pool: this.poolId, method, outcome, durationMs: performance.now() - begunMs });
    try {
      const answer = await this.#connection.use((client) => client.call(method, ...params));
      tell('ok');
      return answer;
    } catch (error) {
      tell('failed');
      throw this.#unlessOutOfDate(toFailure(error, this.#context(method, params)));
    }
  }

  /** Whether the object is gone or only known by another reference now, the next attempt finds out: it asks anew. */
  #unlessOutOfDate(failure: OperationFailure): OperationFailure {
    const { native } = failure.details;
    if (native?.code !== 'HANDLE_INVALID' || !native.params.some((ref) => this.#knownRefs.refused(ref))) return failure;
    const message = `${failure.message} The reference was remembered from before; the next attempt asks for it again.`;
    return new OperationFailure('STATE_CONFLICT', message, failure.details, { cause: failure });
  }

  #context(method: string, params: readonly unknown[]): FailureContext {
    return { method, poolId: this.poolId, object: objectOf(method, params), mask: this.#connection.mask };
  }

  #stillBusy(method: AsyncMethod, timeoutMs: number): OperationFailure {
    return new OperationFailure(
      'POOL_BUSY',
      `A task ${nameOfTask(method)} is still running on pool ${this.poolId} after ${timeoutMs} ms and may yet take effect. ` +
        `Nothing was undone so far; it is looked for again.`,
      { object: `pool ${this.poolId}` },
    );
  }
}

function nameOfTask(method: AsyncMethod): string {
  return `Async.${method}`;
}

function taskGone(taskRef: string, { method, poolId, object }: FailureContext): OperationFailure {
  return new OperationFailure(
    'POOL_ERROR',
    `The task of ${method}${object === undefined ? '' : ` on ${object}`} is gone from pool ${poolId}: its toolstack restarted, or ` +
      `the outcome was read before. Whether it took effect is not known; the next attempt looks before it acts.`,
    { object: object ?? `pool ${poolId}`, native: { code: 'HANDLE_INVALID', params: ['task', taskRef] } },
  );
}

/** The object of a call is its first parameter, when that is a reference. */
function objectOf(method: string, [first]: readonly unknown[]): string | undefined {
  if (typeof first !== 'string' || !first.startsWith('OpaqueRef:')) return undefined;
  return `${method.replace(/^Async\./, '').split('.')[0]} ${first}`;
}
