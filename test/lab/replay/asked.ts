import type { Evidence } from './evidence.ts';
import type { SeenCall } from './observed.ts';
import { realRef } from './observed.ts';
import type { Exchange } from './recording.ts';
import type { RigFailure } from './rig.ts';
import { rigFailure } from './rig.ts';

/**
 * Which host an exchange was with, and what had happened to the pool before it: restarts and the passing of time are no
 * exchanges, only answers tell of them.
 */
export interface Asked {
  readonly member: boolean;
  /** The member could not reach its coordinator yet. */
  readonly emergency: boolean;
  /** The member had one, which did not answer it. */
  readonly coordinatorAway: boolean;
  /** The coordinator had been restarted since the last exchange. */
  readonly restarted: boolean;
  /** A session or task that had expired since it was last used. */
  readonly expired: string | undefined;
  /** The back end of the recording rig was about to fail. */
  readonly failing: RigFailure | undefined;
}

const saysEmergency = ({ body }: Exchange): boolean => body.includes('HOST_HAS_NO_MANAGEMENT_IP');
const saysMember = (exchange: Exchange): boolean =>
  saysEmergency(exchange) || /HOST_IS_SLAVE/.test(exchange.body.slice(0, 400));

/** Whether any of the exchanges was with a member of a pool. */
export const involvesMember = (exchanges: readonly Exchange[]): boolean => exchanges.some(saysMember);

/** The session or task that a failed call did not find. */
function missing(call: SeenCall | undefined): string | undefined {
  if (call?.code !== 'SESSION_INVALID' && !(call?.code === 'HANDLE_INVALID' && call.message?.cls === 'task')) return;
  const ref = call.params[call.code === 'SESSION_INVALID' ? 0 : 1];
  return typeof ref === 'string' && realRef.test(ref) ? ref : undefined;
}

const nothingLost = { restarted: false, expired: undefined };
const ends = /logout$|\.destroy$/;

/** What is known of sessions and tasks while one reads exchange after exchange. */
class Known {
  private readonly there = new Set<unknown>();
  private readonly later: SeenCall[];

  constructor(calls: readonly SeenCall[]) {
    this.later = [...calls];
  }

  /** What is gone by this call although nobody ended it: with all sessions after a restart, alone when others are used on. */
  lostBy(call: SeenCall, wasWoken: boolean): Pick<Asked, 'restarted' | 'expired'> {
    this.later.shift();
    const ref = wasWoken ? undefined : missing(call);
    const isLost = ref !== undefined && this.there.delete(ref);
    if (call.result !== undefined) {
      this.there.add(call.params[0]).add(call.params[1]);
      if (/login|^task\.create/.test(call.method) || call.isAsync) this.there.add(call.result);
      if (ends.test(call.method)) this.there.delete(call.params.at(-1));
    }
    if (!isLost) return nothingLost;
    const others = this.later.some(({ params, result }) => result !== undefined && this.there.has(params[0]));
    const restarted = call.code === 'SESSION_INVALID' && !others;
    return { restarted, expired: restarted ? undefined : ref };
  }
}

/**
 * By the exchange's number. Where a member was asked it was asked everything, except for logins that succeeded and calls with
 * their sessions. It is in emergency mode from an answer that says so to the next that says that it is a member.
 */
export function askedOf(exchanges: readonly Exchange[], { calls, sightings }: Evidence): Map<number, Asked> {
  const hasMember = involvesMember(exchanges);
  const ofCoordinator = new Set<unknown>();
  const known = new Known(exchanges.flatMap(({ n }) => calls.get(n) ?? []));
  let emergency = hasMember && exchanges.find(saysMember) === exchanges.find(saysEmergency);
  return new Map(
    exchanges.map((exchange) => {
      const call = calls.get(exchange.n);
      if (call?.method === 'session.login_with_password' && call.result !== undefined) ofCoordinator.add(call.result);
      if (saysMember(exchange)) emergency = saysEmergency(exchange);
      const isOther = ofCoordinator.has(call?.params[0]) || ofCoordinator.has(call?.result);
      const member = hasMember && (saysMember(exchange) || !isOther);
      const isSilent = exchange.status === '' && call?.message?.hasSession === true;
      const lost = call === undefined ? nothingLost : known.lostBy(call, exchange.seconds >= 0.2);
      const failing = call === undefined ? undefined : rigFailure(call, sightings);
      const pool = { emergency: member && emergency, coordinatorAway: member && isSilent };
      return [exchange.n, { member, ...pool, ...lost, failing }];
    }),
  );
}
