import { AsyncLocalStorage } from 'node:async_hooks';
import type { Value } from './model/types.ts';
import type { Change } from './world/store.ts';
import { asText } from './model/types.ts';

export interface CreatedObject {
  readonly cls: string;
  readonly ref: string;
  readonly uuid: string;
}

/** One thing that reached the lab from outside: an API call, an HTTP transfer or an SSH connection (`ssh.connect`). */
export interface CallRecord {
  readonly seq: number;
  readonly atEpochMs: number;
  /** As sent: `Async.VM.clone`, `PUT /import_raw_vdi`, `ssh.connect`. */
  readonly method: string;
  /** Without the session; passwords are masked. */
  readonly params: readonly Value[];
  /** Whether it is the kind of call that changes more than sessions and tasks, whatever came of it. */
  readonly mutating: boolean;
  readonly pool: string;
  /** The host's name_label, or the VM's uuid for an SSH connection. */
  readonly host: string;
  /** For an Async call: what became of its task. Dropped: the connection was cut before anything was done. */
  readonly outcome: 'pending' | 'ok' | 'failed' | 'dropped';
  /** The error code and its parameters when it failed. */
  readonly error?: readonly string[];
  /** Whether the connection was cut instead of answering. */
  readonly cut: boolean;
  readonly taskRef?: string;
  readonly created: readonly CreatedObject[];
  /** The faults that fired on it. */
  readonly faults: readonly string[];
}

export type OpenCall = { -readonly [K in keyof CallRecord]: CallRecord[K] };

export interface CallFilter {
  /** Only calls after this sequence number. */
  readonly since?: number;
  readonly mutating?: boolean;
  /** Without "Async.": matches both forms. */
  readonly method?: string;
}

export const withoutAsync = (method: string): string => method.replace(/^(Internal)?Async\./, '');

/** Part of no call's effect: the API's own bookkeeping, the history of alerts, and what the agent in a guest reports by itself. */
const bookkeeping: ReadonlySet<string> = new Set(['session', 'task', 'message', 'VM_guest_metrics']);

/** What reached the lab, in order, and which call every new object came from. */
export class CallLog {
  private readonly records: OpenCall[] = [];
  private readonly scope = new AsyncLocalStorage<OpenCall>();

  open(call: Pick<CallRecord, 'method' | 'params' | 'mutating' | 'pool' | 'host'>): OpenCall {
    const record: OpenCall = {
      ...call,
      seq: this.records.length + 1,
      atEpochMs: Date.now(),
      outcome: 'pending',
      cut: false,
      created: [],
      faults: [],
    };
    this.records.push(record);
    return record;
  }

  noteSshConnection(vmUuid: string, user: string): void {
    const params = [vmUuid, user];
    this.open({ method: 'ssh.connect', params, mutating: false, pool: '', host: vmUuid }).outcome = 'ok';
  }

  /** Objects created while `effect` runs, however late, are put down to the call. */
  async attribute<T>(call: OpenCall, effect: () => Promise<T>): Promise<T> {
    return this.scope.run(call, effect);
  }

  observe(change: Change): void {
    const call = this.scope.getStore();
    if (call === undefined || change.operation !== 'add' || bookkeeping.has(change.cls)) return;
    call.created = [...call.created, { cls: change.cls, ref: change.ref, uuid: asText(change.record['uuid']) }];
  }

  get count(): number {
    return this.records.length;
  }

  list({ since = 0, mutating, method }: CallFilter = {}): CallRecord[] {
    return this.records
      .slice(since)
      .filter((call) => mutating === undefined || call.mutating === mutating)
      .filter((call) => method === undefined || withoutAsync(call.method) === method)
      .map((call) => ({ ...call }));
  }
}
