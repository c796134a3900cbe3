import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TaskRecord } from './messages.generated.ts';
import { isPending, recordOfTask, type Call } from './tasks.ts';

/** What `event.from` tells of tasks: each change with the record as it is then, a deletion without. */
export interface TaskChanges {
  readonly token: string;
  readonly events: readonly { readonly ref: string; readonly snapshot?: TaskRecord }[];
}

/** Asks `event.from` what changed of these (`task`, `task/<ref>`) since the token; answers after so many seconds at the latest. */
export type AskChanges = (of: readonly string[], token: string, timeoutSeconds: number) => Promise<TaskChanges>;

/** Times are fractions, since XAPI wants floats. What exists is told at once when the token is empty. */
const AT_ONCE_SECONDS = 0.1;
/** So long one question waits for a change. */
const LONGEST_WAIT_SECONDS = 2.1;
/** After this time the tasks are looked for anew: a toolstack that restarted has forgotten them and tells no end. */
const RENEW_MS = 2_000;
/** Changes of many tasks come in one answer, when they are given this time. */
const GATHER_MS = 20;
const PAUSE_AFTER_TROUBLE_MS = 500;

/**
 * Waits for the ends of tasks, all those of one pool with one question to it at a time, so that an end is seen when it
 * happens.
 */
export class TaskWatch {
  readonly #call: Call;
  readonly #ask: AskChanges;
  /** One event per task that somebody waits for, with its record when it has ended; without one it has to be looked at. */
  readonly #ends = new EventEmitter().setMaxListeners(0);
  #watching = false;

  constructor(call: Call, ask: AskChanges) {
    this.#call = call;
    this.#ask = ask;
  }

  /** The ended task, or undefined when the pool knows no such task (any more). Rejects with the signal's reason. */
  async end(taskRef: string, signal: AbortSignal): Promise<TaskRecord | undefined> {
    for (;;) {
      // Before the look: an end that comes after it is told.
      const told = this.#told(taskRef, signal);
      try {
        const record = await recordOfTask(this.#call, taskRef);
        if (record === undefined || !isPending(record)) return record;
        void this.#watch();
        const ended = await told.record;
        if (ended !== undefined) return ended;
      } finally {
        told.forget();
      }
    }
  }

  #told(taskRef: string, signal: AbortSignal) {
    const over = new AbortController();
    const record = once(this.#ends, taskRef, { signal: AbortSignal.any([signal, over.signal]) }).then(
      ([ended]) => ended as TaskRecord | undefined,
      (error: unknown) => {
        signal.throwIfAborted();
        throw error;
      },
    );
    // Nobody asks for it when the look has answered already.
    record.catch(() => undefined);
    return { record, forget: () => over.abort() };
  }

  /** Goes on for as long as somebody waits. Whatever goes wrong, who waits looks again and meets it there. */
  async #watch(): Promise<void> {
    if (this.#watching) return;
    this.#watching = true;
    let token = '';
    let renewAtMs = 0;
    while (this.#waiting().length > 0) {
      try {
        if (performance.now() >= renewAtMs) {
          token = await this.#lookForAll();
          renewAtMs = performance.now() + RENEW_MS;
        } else {
          token = await this.#waitForChanges(token);
        }
        await sleep(GATHER_MS);
      } catch {
        await sleep(PAUSE_AFTER_TROUBLE_MS);
        renewAtMs = 0;
        for (const taskRef of this.#waiting()) this.#ends.emit(taskRef);
      }
    }
    this.#watching = false;
  }

  /** Where the watching begins: whatever is not seen pending has ended, is gone, or came after the question. */
  async #lookForAll(): Promise<string> {
    const refs = this.#waiting().map((taskRef) => `task/${taskRef}`);
    const { token, events } = await this.#ask(refs, '', AT_ONCE_SECONDS);
    const seen = new Map(events.map(({ ref, snapshot }) => [ref, snapshot]));
    for (const taskRef of this.#waiting()) this.#tell(taskRef, seen.get(taskRef));
    return token;
  }

  async #waitForChanges(since: string): Promise<string> {
    const { token, events } = await this.#ask(['task'], since, LONGEST_WAIT_SECONDS);
    for (const { ref, snapshot } of events) this.#tell(ref, snapshot);
    return token;
  }

  #tell(taskRef: string, snapshot: TaskRecord | undefined): void {
    if (snapshot === undefined || !isPending(snapshot)) this.#ends.emit(taskRef, snapshot);
  }

  /** `once` listens for errors as well. */
  #waiting(): string[] {
    return this.#ends
      .eventNames()
      .map(String)
      .filter((name) => name !== 'error');
  }
}
