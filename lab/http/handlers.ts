import type { IncomingMessage } from 'node:http';
import type { World } from '../world/world.ts';
import { isAuthorised } from './credentials.ts';
import { forbidden, internalError, pageText, unauthorised } from './pages.ts';

/** The daemon's handlers that a GET reaches and that do no more here than the genuine ones do without what they serve. */
const handlers: ReadonlyMap<string, { readonly realm: string; readonly answer: string }> = new Map([
  ['/export_metadata', { realm: 'get_export_metadata', answer: pageText(internalError('Not_implemented')) }],
  ['/services', { realm: 'get_services', answer: pageText(internalError('Not_implemented')) }],
  ['/console', { realm: 'get_console', answer: pageText(internalError('Console.Failure')) }],
  [
    '/rrd_updates',
    {
      realm: 'get_rrd_updates',
      // No statistics are kept.
      answer: 'HTTP/1.0 404 Not Found\r\nConnection: close\r\nCache-Control: no-cache, no-store\r\n\r\n',
    },
  ],
]);

/** The whole answer to a GET of anything but a call or a transfer. There is no web root. */
export function answerGet(world: World, req: IncomingMessage): string {
  const { pathname, searchParams } = new URL(req.url ?? '', 'http://host');
  const handler = handlers.get(pathname);
  if (handler === undefined) return pageText(forbidden, req.httpVersion);
  return isAuthorised(world, searchParams, req) ? handler.answer : pageText(unauthorised(handler.realm));
}
