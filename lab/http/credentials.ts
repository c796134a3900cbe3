import type { IncomingMessage } from 'node:http';
import type { World } from '../world/world.ts';

function basicAuthOk(world: World, header: string | undefined): boolean {
  const [scheme, encoded = ''] = (header ?? '').split(' ');
  if (scheme?.toLowerCase() !== 'basic') return false;
  return Buffer.from(encoded, 'base64').toString('utf8') === `${world.user}:${world.password}`;
}

/** Whether a handler's request comes from somebody: by `session_id` in its query or by basic authentication. */
export function isAuthorised(world: World, query: URLSearchParams, req: IncomingMessage): boolean {
  const session = query.get('session_id');
  return session === null ? basicAuthOk(world, req.headers.authorization) : world.sessions.isKnown(session);
}
