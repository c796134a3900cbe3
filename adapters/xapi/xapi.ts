import type { AsyncMethod, XapiMessages } from './messages.generated.ts';
import type { Ref } from './ref.ts';

/**
 * The step's memory of the one XAPI task it may have running, kept in the heartbeat so that it outlives the worker.
 * One memory serves one task at a time: work on several objects in parallel needs one memory each.
 */
export interface TaskMemory {
  /** The task that this attempt or an earlier one started and that is not settled yet. */
  readonly taskRef: string | undefined;
  /** Called once the reference is known, before anything waits for the task. */
  remember(taskRef: string): void;
  /** Called once the task's outcome is known (or it is gone for good), before it is destroyed: the next task starts anew. */
  forget(): void;
  /** Aborting ends the waiting with the signal's reason; the task itself goes on until an undo settles it. */
  readonly signal: AbortSignal;
}

/** What steps are given by uuid. */
export type LookedUpClass = 'VM' | 'SR' | 'network';

/**
 * One pool, as the steps see it. Every failure is an `OperationFailure`, but for an aborted `memory.signal`, whose reason is
 * thrown as it is.
 */
export interface Xapi {
  readonly poolId: string;
  /** Where the guests of this pool answer SSH: 22, in the lab another. */
  readonly guestSshPort: number;

  /** A synchronous call. `params` come without the session, 64-bit integers as numbers, references and dates as strings. */
  call<M extends keyof XapiMessages>(
    method: M,
    ...params: XapiMessages[M]['params']
  ): Promise<XapiMessages[M]['result']>;

  /**
   * The reference of an object that has to be there, by its uuid; OBJECT_GONE when it is not. Asked for once per worker, since
   * an object keeps its reference for life; whether it is still there, the call made with it tells.
   */
  refOf<C extends LookedUpClass>(cls: C, uuid: string): Promise<Ref<C>>;

  /**
   * Starts `Async.<method>`, or re-attaches to `memory.taskRef`, and answers the result of the task.
   * A failed task fails as its error_info says. A remembered task that is gone (the coordinator restarted, or the outcome was
   * read by an attempt that died right after) is a POOL_ERROR, ambiguous: the next attempt's `find` decides.
   */
  task<M extends AsyncMethod>(
    memory: TaskMemory,
    method: M,
    ...params: XapiMessages[M]['params']
  ): Promise<XapiMessages[M]['result']>;

  /**
   * Waits until nothing can take effect any more that an earlier `task(method)` of this step started.
   * With a remembered task: only that one is waited for, after `task.cancel` when `cancel` is set.
   * Without one (the reply was lost): every pending task called `Async.<method>` that exists now. A task record does not hold the
   * parameters, so these may belong to others: they are waited for and never cancelled.
   * POOL_BUSY when they are still pending after `timeoutMs`.
   */
  settleTasks(
    memory: TaskMemory,
    method: AsyncMethod,
    options: { readonly timeoutMs: number; readonly cancel?: boolean },
  ): Promise<void>;

  /**
   * Writes the whole content of a raw VDI (PUT /import_raw_vdi). Repeating it with the same content is harmless; a cut
   * connection or VDI_IO_ERROR is ambiguous, and the next attempt uploads again unless the remembered task succeeded.
   * `mark` is written into the task by the very call that creates it, for `dropImports`.
   */
  importRawVdi(memory: TaskMemory, mark: string, vdi: Ref<'VDI'>, content: Buffer): Promise<void>;

  /** Ends and removes the tasks of uploads with this mark that nobody remembers: no upload would ever end them. */
  dropImports(mark: string): Promise<void>;
}

export type PoolTls =
  /** Plain HTTP: for a lab on this machine. */
  | { readonly mode: 'none' }
  /** A certificate that names the host, signed by an authority of the system or of `caFile` (PEM). */
  | { readonly mode: 'ca'; readonly caFile?: string }
  /** Exactly these certificates (SHA-256, hex, with or without colons): self-signed hosts have one each. */
  | { readonly mode: 'pinned'; readonly sha256Fingerprints: readonly string[] };

export interface PoolSettings {
  readonly id: string;
  /** Host names or IP addresses of the members, the coordinator's first as far as known. */
  readonly addresses: readonly string[];
  /** The XAPI port, the same on every member: HOST_IS_SLAVE carries an address only. */
  readonly port: number;
  readonly tls: PoolTls;
  readonly user: string;
  readonly password: string;
  readonly guestSshPort: number;
}

/** Every registered pool; made by `createXapiPools` of pools.ts. */
export interface XapiPools {
  /** POOL_UNKNOWN for an id that is not registered. Connects to nothing: the first call does. */
  get(poolId: string): Xapi;
  /** Logs out where it can and closes every connection. */
  close(): Promise<void>;
}
