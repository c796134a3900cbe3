import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createVdi, destroyVdi, setUtilisation } from '../behaviour/vdi.ts';
import { describeError } from '../dispatch/dispatcher.ts';
import { introducePatch } from '../patching/pool-patch.ts';
import { introduceUpdate, patchOf } from '../patching/pool-update.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { isAuthorised } from './credentials.ts';
import { redirection } from './exchange.ts';
import { internalError, pageText, unauthorised } from './pages.ts';

const method = 'PUT /pool_patch_upload';
const realm = 'put_pool_patch_upload';

const hasUpdates = (world: World): boolean => world.product.model.classes.has('pool_update');

const okHead = (task: string): string =>
  `HTTP/1.0 200 OK\r\nConnection: close\r\nCache-Control: no-cache, no-store\r\ntask-id: ${task}\r\n\r\n`;

async function receive(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Since 7.1 the file goes to a disk of an SR, the default one unless `sr_id` names another. */
function findSr(world: World, query: URLSearchParams): string | undefined {
  const wanted = query.get('sr_id') ?? world.store.get('pool', world.pool.ref).default_SR;
  return world.store.find('SR', wanted) === undefined ? world.store.byUuid('SR', wanted) : wanted;
}

/** The disk is kept only when it is an update's. Throws DEFAULT_SR_NOT_FOUND. */
async function introduceByDisk(world: World, sr: string | undefined, content: Buffer): Promise<string> {
  if (sr === undefined) throw new XapiError('DEFAULT_SR_NOT_FOUND', world.store.get('pool', world.pool.ref).default_SR);
  const vdi = createVdi(world, { SR: sr, virtual_size: content.length, type: 'user', name_label: 'patch upload' });
  try {
    await world.contents.write(vdi, content);
    setUtilisation(world, vdi, content.length);
    return patchOf(world, await introduceUpdate(world, vdi));
  } catch (error) {
    destroyVdi(world, vdi);
    throw error;
  }
}

/** What the request cannot go on for: wrong credentials, a member where only the coordinator takes patches, another host's SR. */
function refusal(world: World, host: string, req: IncomingMessage, query: URLSearchParams): string | undefined {
  if (req.headers['content-length'] === undefined)
    return pageText(internalError('Failure("We require a content-length: HTTP header")'));
  if (!isAuthorised(world, query, req)) return pageText(unauthorised(realm));
  const sr = findSr(world, query);
  if (hasUpdates(world)) return sr === undefined ? undefined : redirection(world, host, req, sr);
  return host === world.pool.master ? undefined : pageText(internalError('Xapi_pool_patch.CannotUploadPatchToSlave'));
}

/**
 * PUT /pool_patch_upload?session_id=…&task_id=…&sr_id=…: 200 as soon as it begins, the connection closes at the end; the task's
 * result is the bare reference of the patch, or the task says why there is none.
 */
export async function uploadPatch(world: World, host: string, req: IncomingMessage): Promise<void> {
  const { searchParams } = new URL(req.url ?? '', 'http://host');
  const refused = refusal(world, host, req, searchParams);
  if (refused !== undefined) return void req.socket.end(refused);
  const task = searchParams.get('task_id') ?? world.tasks.create(realm, '', host);
  const { name_label: name } = world.store.get('host', host);
  const params = [Object.fromEntries([...searchParams].filter(([key]) => key !== 'session_id'))];
  const record = world.log.open({
    method,
    params,
    mutating: true,
    pool: world.id,
    host: name,
  });
  record.taskRef = task;
  const fault = world.faults.take({ method, objects: new Set(searchParams.values()), pool: world.id }, record);
  record.cut = fault?.kind === 'cut' || fault?.kind === 'reply-lost';
  if (fault?.kind === 'cut') {
    record.outcome = 'dropped';
    return void req.socket.destroy();
  }
  if (!record.cut) req.socket.write(okHead(task));
  try {
    const result = await world.log.attribute(record, async () => {
      const content = await receive(req);
      if (fault?.kind === 'slow') await sleep(fault.delayMs, undefined, { signal: world.closing.signal });
      if (fault?.kind === 'refused') throw new XapiError(...fault.error);
      return hasUpdates(world)
        ? introduceByDisk(world, findSr(world, searchParams), content)
        : introducePatch(world, content);
    });
    world.tasks.succeed(task, result);
    record.outcome = 'ok';
  } catch (error) {
    record.error = describeError(error);
    record.outcome = 'failed';
    world.tasks.fail(task, record.error);
  }
  if (record.cut) req.socket.destroy();
  else req.socket.end();
}
