import type { Handlers } from '../dispatch/call.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';

/** Throws SESSION_AUTHENTICATION_FAILED. */
export function checkPassword(world: World, user: string, password: string): void {
  if (user === world.user && password === world.password) return;
  const reason =
    user === world.user ? 'Authentication failure' : 'User not known to the underlying authentication module';
  throw new XapiError('SESSION_AUTHENTICATION_FAILED', user, reason);
}

export const sessionBehaviour: Handlers = {
  'session.login_with_password': async ({ world, host, signal }, user, password, _version, originator = '') => {
    await world.latency.spend('login', signal);
    checkPassword(world, user, password);
    return world.sessions.login(user, originator, host);
  },
  'session.slave_local_login_with_password': ({ world, host }, user, password) => {
    checkPassword(world, user, password);
    return world.sessions.loginLocal(host, world.identities.ref());
  },
  'session.logout': ({ world, session }) => world.sessions.end(session),
  'session.local_logout': ({ world, session }) => world.sessions.end(session),
};
