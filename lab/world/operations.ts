import type { ClassName } from '../model/records.ts';
import { XapiError } from '../xapi-error.ts';
import type { Store } from './store.ts';

type Busy = 'VM' | 'VDI' | 'VBD' | 'VIF' | 'SR' | 'host' | 'pool';

export interface Operation {
  readonly cls: Busy;
  readonly ref: string;
  readonly name: string;
  /** What current_operations calls it: the task, or a dummy reference for a call without one. */
  readonly id: string;
  readonly signal: AbortSignal;
  /** Run once it is its turn, before it is shown in current_operations; throws the official error of the state found then. */
  check(): void;
}

interface Running {
  readonly operation: Operation;
  readonly cancel: () => void;
}

interface Queue {
  readonly running: Set<Running>;
  readonly waiting: { readonly operation: Operation; readonly start: () => void }[];
}

/** Copies read their source only: several of one template may run side by side. */
const copies: ReadonlySet<string> = new Set(['clone', 'copy', 'export']);
/** A hard stop does not wait for a polite one, it cancels it. */
const overrides: Readonly<Record<string, readonly string[]>> = {
  hard_shutdown: ['clean_shutdown', 'hard_reboot', 'clean_reboot'],
  hard_reboot: ['clean_reboot', 'clean_shutdown'],
};

/** One operation at a time per object, first come first served: a conflicting one waits, then runs or fails on the state it finds. */
export class Operations {
  private readonly store: Store;
  private readonly queues = new Map<string, Queue>();

  constructor(store: Store) {
    this.store = store;
  }

  /** `cancel` is called when a stronger operation needs this one out of the way. */
  async run<T>(operation: Operation, cancel: () => void, work: () => T | Promise<T>): Promise<T> {
    const key = `${operation.cls}/${operation.ref}`;
    const queue = this.queues.get(key) ?? { running: new Set(), waiting: [] };
    this.queues.set(key, queue);
    await this.turn(queue, operation);
    const running = { operation, cancel };
    queue.running.add(running);
    try {
      operation.check();
      this.show(operation, true);
      return await work();
    } finally {
      this.show(operation, false);
      queue.running.delete(running);
      this.startWaiting(queue);
      if (queue.running.size === 0 && queue.waiting.length === 0) this.queues.delete(key);
    }
  }

  private async turn(queue: Queue, operation: Operation): Promise<void> {
    operation.signal.throwIfAborted();
    if (queue.waiting.length === 0 && this.fits(queue, operation)) return;
    const overridden = overrides[operation.name] ?? [];
    for (const running of queue.running) if (overridden.includes(running.operation.name)) running.cancel();
    await new Promise<void>((resolve, reject) => {
      const waiter = { operation, start: resolve };
      queue.waiting.push(waiter);
      operation.signal.addEventListener('abort', () => {
        const at = queue.waiting.indexOf(waiter);
        if (at >= 0) queue.waiting.splice(at, 1);
        reject(new XapiError('TASK_CANCELLED', operation.id));
      });
    });
  }

  private fits(queue: Queue, operation: Operation): boolean {
    const names = [...queue.running].map((running) => running.operation.name);
    return names.length === 0 || [...names, operation.name].every((name) => copies.has(name));
  }

  private startWaiting(queue: Queue): void {
    const next = queue.waiting[0];
    if (next === undefined || !this.fits(queue, next.operation)) return;
    queue.waiting.shift();
    next.start();
  }

  private show({ cls, ref, id, name }: Operation, active: boolean): void {
    const record = this.store.find<ClassName>(cls, ref) as { current_operations: Record<string, string> } | undefined;
    if (record === undefined) return;
    const { [id]: _ended, ...others } = record.current_operations;
    const current = active ? { ...others, [id]: name } : others;
    this.store.update(cls as 'VM', ref, { current_operations: current });
  }
}
