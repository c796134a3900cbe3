import { XapiError } from '../xapi-error.ts';
import { formatDate, parseDate } from './dates.ts';
import type { Latency } from './latency.ts';
import type { Store } from './store.ts';

const idleTimeoutMs = 86_400_000;
/** last_active is not written more often than this. */
const activityStepMs = 600_000;

/** Who is logged in. Local sessions are those of slave_local_login_with_password: known to one host only, no objects. */
export class Sessions {
  private readonly store: Store;
  private readonly latency: Latency;
  private readonly local = new Map<string, string>();
  private readonly ends = new Map<string, AbortController>();

  constructor(store: Store, latency: Latency) {
    this.store = store;
    this.latency = latency;
  }

  /** Aborted as soon as the session ends. */
  ended(ref: string): AbortSignal {
    const controller = this.ends.get(ref) ?? new AbortController();
    this.ends.set(ref, controller);
    return controller.signal;
  }

  login(user: string, originator: string, host: string): string {
    const now = formatDate(Date.now());
    return this.store.create('session', {
      this_host: host,
      last_active: now,
      validation_time: now,
      is_local_superuser: true,
      auth_user_name: user,
      originator,
    });
  }

  loginLocal(host: string, ref: string): string {
    this.local.set(ref, host);
    return ref;
  }

  isLocal(ref: string, host: string): boolean {
    return this.local.get(ref) === host;
  }

  isKnown(ref: string): boolean {
    return this.store.find('session', ref) !== undefined;
  }

  /** Throws SESSION_INVALID. */
  use(ref: string): void {
    const session = this.store.find('session', ref);
    if (session === undefined) throw new XapiError('SESSION_INVALID', ref);
    const now = Date.now();
    if (now - parseDate(session.last_active) < this.latency.timeoutMs(activityStepMs)) return;
    this.store.update('session', ref, { last_active: formatDate(now) });
  }

  end(ref: string): void {
    if (!this.local.delete(ref)) this.store.destroy('session', ref);
    this.ends.get(ref)?.abort();
    this.ends.delete(ref);
  }

  /** The sessions of a host that stops, and everybody's if the host is the coordinator. */
  forget(host: string, isCoordinator: boolean): void {
    for (const [ref, home] of this.local) if (home === host) this.end(ref);
    if (isCoordinator) for (const ref of this.store.refs('session')) this.end(ref);
  }

  expire(nowMs: number): void {
    const limitMs = this.latency.timeoutMs(idleTimeoutMs);
    for (const [ref, session] of this.store.records('session')) {
      if (nowMs - parseDate(session.last_active) > limitMs) this.end(ref);
    }
  }
}
