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
  readonly waiting: { readonly operation: Operation; readonly running: Running; readonly start: () => void }[];
}

/** Operations of one object that may run beside each other; every other one has the object for itself. Hosts: see excludeOnHost. */
const sideBySide: Readonly<Partial<Record<Busy, readonly (readonly string[])[]>>> = {
  VM: [
    ['clone', 'copy', 'export'],
    ['snapshot', 'checkpoint'],
  ],
  VDI: [
    ['clone', 'copy'],
    ['snapshot', 'clone'],
  ],
};

/** On a host, what brings VMs to it and what takes them away exclude each other; all else runs side by side. */
const bringsVms: ReadonlySet<string> = new Set(['provision', 'vm_resume', 'vm_migrate']);
const takesVmsAway: ReadonlySet<string> = new Set(['evacuate', 'reboot', 'shutdown']);
const goesDown: ReadonlySet<string> = new Set(['reboot', 'shutdown', 'apply_updates']);

/** Whether two operations of a host cannot run at the same time. */
export function excludeOnHost(one: string, other: string): boolean {
  if (one === 'provision' && other === 'provision') return true;
  if (goesDown.has(one) && goesDown.has(other)) return true;
  return (bringsVms.has(one) && takesVmsAway.has(other)) || (takesVmsAway.has(one) && bringsVms.has(other));
}

const exclude = (cls: Busy, one: string, other: string): boolean =>
  cls === 'host'
    ? excludeOnHost(one, other)
    : !(sideBySide[cls] ?? []).some((group) => group.includes(one) && group.includes(other));

const polite = ['clean_shutdown', 'clean_reboot', 'shutdown', 'suspend', 'pool_migrate', 'migrate_send', 'call_plugin'];
/** A hard stop does not wait for what takes its time, it cancels it. */
const overrides: Readonly<Record<string, readonly string[]>> = {
  hard_shutdown: [...polite, 'hard_reboot'],
  hard_reboot: polite,
};

/** Operations on one object that exclude each other take turns, first come first served: a later one waits, then runs or fails on the state it finds. */
export class Operations {
  private readonly store: Store;
  private readonly queues = new Map<string, Queue>();

  constructor(store: Store) {
    this.store = store;
  }

  /** `cancel` is called when a stronger operation needs this one out of the way. */
  async run<T>(operation: Operation, cancel: () => void, work: () => T | Promise<T>): Promise<T> {
    operation.signal.throwIfAborted();
    const key = `${operation.cls}/${operation.ref}`;
    const queue = this.queues.get(key) ?? { running: new Set(), waiting: [] };
    this.queues.set(key, queue);
    const running = { operation, cancel };
    await this.turn(queue, running);
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

  /** Resolves when the operation is among the running ones. */
  private async turn(queue: Queue, running: Running): Promise<void> {
    const { operation } = running;
    if (this.fits(queue, operation, queue.waiting.length)) {
      queue.running.add(running);
      return;
    }
    const overridden = overrides[operation.name] ?? [];
    for (const other of queue.running) if (overridden.includes(other.operation.name)) other.cancel();
    await new Promise<void>((resolve, reject) => {
      const waiter = { operation, running, start: resolve };
      queue.waiting.push(waiter);
      operation.signal.addEventListener('abort', () => {
        const at = queue.waiting.indexOf(waiter);
        if (at < 0) return;
        queue.waiting.splice(at, 1);
        this.startWaiting(queue);
        reject(new XapiError('TASK_CANCELLED', operation.id));
      });
    });
  }

  /** Whether nothing that runs, and nothing among the first `ahead` that wait, excludes it. */
  private fits(queue: Queue, { cls, name }: Operation, ahead: number): boolean {
    const others = [...queue.running, ...queue.waiting.slice(0, ahead)];
    return others.every(({ operation }) => !exclude(cls, operation.name, name));
  }

  private startWaiting(queue: Queue): void {
    const ready = queue.waiting.filter(({ operation }, at) => this.fits(queue, operation, at));
    for (const waiter of ready) {
      queue.waiting.splice(queue.waiting.indexOf(waiter), 1);
      queue.running.add(waiter.running);
      waiter.start();
    }
  }

  private show({ cls, ref, id, name }: Operation, active: boolean): void {
    const record = this.store.find<ClassName>(cls, ref) as { current_operations: Record<string, string> } | undefined;
    if (record === undefined) return;
    const { [id]: _ended, ...others } = record.current_operations;
    const current = active ? { ...others, [id]: name } : others;
    this.store.update(cls as 'VM', ref, { current_operations: current });
  }
}
