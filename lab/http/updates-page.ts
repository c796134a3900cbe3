import type { IncomingMessage } from 'node:http';
import { describeError } from '../dispatch/dispatcher.ts';
import { guidanceOf, livepatchJson, missingOn } from '../patching/host-updates.ts';
import { updateRepository } from '../patching/repository.ts';
import type { CdnUpdate } from '../patching/vendor.ts';
import type { World } from '../world/world.ts';
import { isAuthorised } from './credentials.ts';
import { forbidden, internalError, pageText, unauthorised } from './pages.ts';

const updateJson = ({ id, summary, type, guidance, livepatches = [] }: CdnUpdate) => ({
  id,
  summary,
  description: summary,
  'special-info': '',
  URL: '',
  type,
  issued: '',
  severity: type === 'security' ? 'High' : 'None',
  livepatches: livepatches.map(livepatchJson),
  guidance: { ...guidance, livepatch: [] },
});

/** What every host lacks of the repository's synced state, as the coordinator tells it. Throws NO_REPOSITORY_ENABLED. */
function updatesOf(world: World): object {
  const byHost = world.store.refs('host').map((ref) => ({ ref, updates: missingOn(world, ref) }));
  const all = new Map(byHost.flatMap(({ updates }) => updates.map((update) => [update.id, update] as const)));
  return {
    hosts: byHost.map(({ ref, updates }) => ({
      ref,
      updates: updates.map(({ id }) => id),
      guidance: guidanceOf(updates),
      livepatches: updates.flatMap(({ livepatches = [] }) => livepatches.map(livepatchJson)),
      RPMS: updates.flatMap(({ packages }) => packages),
    })),
    updates: [...all.values()].map(updateJson),
    hash: world.store.get('Repository', updateRepository(world)).hash,
  };
}

/** GET /updates of XenServer 8.4 and later, by session or basic authentication; an older daemon has no such page. */
export function answerUpdates(world: World, req: IncomingMessage): string {
  const { searchParams } = new URL(req.url ?? '', 'http://host');
  if (!world.product.model.classes.has('Repository')) return pageText(forbidden, req.httpVersion);
  if (!isAuthorised(world, searchParams, req)) return pageText(unauthorised('get_updates'));
  try {
    const body = JSON.stringify(updatesOf(world));
    const head = [
      'HTTP/1.1 200 OK',
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
      'cache-control: no-cache, no-store',
      'content-type: application/json',
    ];
    return `${head.join('\r\n')}\r\n\r\n${body}`;
  } catch (error) {
    return pageText(internalError(`Api_errors.Server_error(${describeError(error).join(', ')}, [])`), req.httpVersion);
  }
}
