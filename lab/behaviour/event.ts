import { createHash } from 'node:crypto';
import type { Call, Handlers } from '../dispatch/call.ts';
import { isClassName } from '../model/model.ts';
import type { World } from '../world/world.ts';
import { XapiError, handleInvalid } from '../xapi-error.ts';

/** How the daemon names a session where its reference must not be seen. */
const trackingId = (session: string): string => createHash('md5').update(session).digest('hex');

interface Subscription {
  readonly classes: Set<string>;
  seen: number;
}

/** Aborted when the session ends or the lab closes. */
const sessionEnd = (world: World, session: string): AbortSignal =>
  AbortSignal.any([world.sessions.ended(session), world.closing.signal]);

async function from({ world, session }: Call, filters: readonly string[], token: string, timeoutSeconds: number) {
  const ended = sessionEnd(world, session);
  const batch = await world.events.from(filters, token, timeoutSeconds * 1000, ended);
  if (ended.aborted) throw new XapiError('SESSION_INVALID', session);
  return batch;
}

/** The older interface: the daemon remembers per session what is watched and what was told. */
function subscriptionHandlers(): Handlers {
  const bySession = new WeakMap<World, Map<string, Subscription>>();
  const subscriptions = (world: World) => {
    const found = bySession.get(world) ?? new Map<string, Subscription>();
    bySession.set(world, found);
    return found;
  };
  return {
    'event.register': ({ world, session }, classes) => {
      const known = subscriptions(world).get(session) ?? { classes: new Set(), seen: world.events.mark() };
      for (const cls of classes) known.classes.add(cls);
      subscriptions(world).set(session, known);
    },
    'event.unregister': ({ world, session }, classes) => {
      for (const cls of classes) subscriptions(world).get(session)?.classes.delete(cls);
    },
    'event.next': async ({ world, session }) => {
      const subscription = subscriptions(world).get(session);
      if (subscription === undefined) {
        throw new XapiError('SESSION_NOT_REGISTERED', `trackid=${trackingId(session)}`);
      }
      const ended = sessionEnd(world, session);
      for (;;) {
        const events = world.events.next([...subscription.classes], subscription.seen);
        subscription.seen = world.events.mark();
        if (events.length > 0) return events;
        await world.events.nextChange(2 ** 31 - 1, ended);
        if (ended.aborted) throw new XapiError('SESSION_INVALID', session);
      }
    },
  };
}

export const eventBehaviour = (): Handlers => ({
  ...subscriptionHandlers(),
  'event.from': from,
  'event.get_current_id': () => 0,
  'event.inject': ({ world }, cls, ref) => {
    if (!isClassName(cls)) throw handleInvalid(cls, ref);
    world.store.touch(cls, ref);
    return world.events.currentToken();
  },
});
