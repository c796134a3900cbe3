import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenCall } from '../call-log.ts';
import { setUtilisation } from '../behaviour/vdi.ts';
import { describeError } from '../dispatch/dispatcher.ts';
import { earlyRefusal, losesAnswer, namesOfHost } from '../dispatch/call-faults.ts';
import type { Fault } from '../fault-spec.ts';
import type { Target } from '../faults.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { isAuthorised } from './credentials.ts';
import { forbidden, internalError, pageText, unauthorised } from './pages.ts';

/** A disk's content on its way in or out. */
interface Transfer {
  readonly world: World;
  readonly req: IncomingMessage;
  readonly host: string;
  readonly session: string;
  readonly vdi: string;
  readonly task: string;
  readonly record: OpenCall;
}

/** The host that can write to the disk's SR, if that is not the one that was asked. */
function redirectTarget(world: World, host: string, vdi: string): string | undefined {
  const sr = world.store.get('SR', world.store.get('VDI', vdi).SR);
  const hosts = sr.PBDs.map((ref) => world.store.get('PBD', ref)).filter((pbd) => pbd.currently_attached);
  const [first] = hosts;
  if (first === undefined || hosts.some((pbd) => pbd.host === host)) return undefined;
  return world.store.get('host', first.host).address;
}

function findVdi(world: World, name: string): string {
  if (world.store.find('VDI', name) !== undefined) return name;
  const ref = world.store.byUuid('VDI', name);
  if (ref === undefined) throw new XapiError('HANDLE_INVALID', 'VDI', name);
  return ref;
}

/** What to transfer, or the answer that needs no body: wrong credentials, another host's storage. */
function begin(world: World, host: string, req: IncomingMessage, realm: string): Transfer | string {
  const url = new URL(req.url ?? '', 'http://host');
  if (!isAuthorised(world, url.searchParams, req)) return pageText(unauthorised(realm));
  if ((url.searchParams.get('format') ?? 'raw') !== 'raw') return pageText(forbidden);
  const vdi = findVdi(world, url.searchParams.get('vdi') ?? '');
  const elsewhere = redirectTarget(world, host, vdi);
  if (elsewhere !== undefined) {
    const location = `${world.scheme}://${elsewhere}:${req.socket.localPort}${req.url ?? ''}`;
    return `HTTP/1.1 302 Found\r\nLocation: ${location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`;
  }
  const task = url.searchParams.get('task_id') ?? world.tasks.create(realm, '', host);
  world.store.get('task', task);
  const method = `${req.method ?? ''} ${url.pathname}`;
  const params = Object.fromEntries([...url.searchParams].filter(([name]) => name !== 'session_id'));
  const { name_label: name } = world.store.get('host', host);
  const record = world.log.open({
    method,
    params: [params],
    mutating: req.method === 'PUT',
    pool: world.id,
    host: name,
  });
  record.taskRef = task;
  return { world, req, host, session: url.searchParams.get('session_id') ?? '', vdi, task, record };
}

const okHead = ({ world, task }: Transfer, extra: readonly string[] = []): string =>
  [
    'HTTP/1.0 200 OK',
    'Connection: close',
    'Cache-Control: no-cache, no-store',
    `task-id: ${task}`,
    `Server: xapi/${world.product.softwareVersion['xapi'] ?? ''}`,
    'content-type: application/octet-stream',
    ...extra,
    '',
    '',
  ].join('\r\n');

/** Throws VDI_IO_ERROR when the client goes away before all of it is there, or the connection is to break at half of it. */
async function receive(req: IncomingMessage, breaksAtHalf: boolean): Promise<Buffer> {
  const limitBytes = breaksAtHalf ? Number(req.headers['content-length']) / 2 : Infinity;
  const chunks: Buffer[] = [];
  let receivedBytes = 0;
  try {
    for await (const chunk of req.iterator({ destroyOnReturn: false })) {
      chunks.push(chunk as Buffer);
      receivedBytes += (chunk as Buffer).length;
      if (receivedBytes >= limitBytes) throw new Error('planned');
    }
  } catch {
    throw new XapiError('VDI_IO_ERROR', 'Device I/O errors');
  }
  return Buffer.concat(chunks);
}

/** Throws the error that the task ends with. */
async function store({ world, vdi }: Transfer, content: Buffer): Promise<void> {
  const { virtual_size: size, VBDs: attachments } = world.store.get('VDI', vdi);
  if (attachments.some((ref) => world.store.get('VBD', ref).currently_attached))
    throw new XapiError('VDI_IN_USE', vdi, 'import');
  if (content.length > size) throw new XapiError('VDI_IO_ERROR', 'Device I/O errors');
  await sleep((world.latency.milliseconds('importPerMiB') * content.length) / 2 ** 20);
  await world.contents.write(vdi, content);
  setUtilisation(world, vdi, size);
}

async function settle({ world, task, record }: Transfer, effect: () => Promise<void>): Promise<boolean> {
  try {
    await world.log.attribute(record, effect);
    world.tasks.succeed(task, '');
    record.outcome = 'ok';
    return true;
  } catch (error) {
    const description = describeError(error);
    world.tasks.fail(task, description);
    record.outcome = 'failed';
    record.error = description;
    return false;
  }
}

function takeFault({ world, host, vdi, record }: Transfer): { fault: Fault | undefined; target: Target } {
  const { uuid, name_label: name } = world.store.get('VDI', vdi);
  const objects = new Set([vdi, uuid, name]);
  const target = { method: record.method, objects, pool: world.id, host: namesOfHost(world, host) };
  const fault = world.faults.take(target, record);
  record.cut = losesAnswer(fault);
  return { fault, target };
}

/** Whether the fault ends the transfer before it begins; the caller was told, or cut off. */
function endsEarly({ world, req, session, task, record }: Transfer, fault: Fault | undefined, realm: string): boolean {
  if (fault?.kind === 'cut' && fault.at === 'before') {
    record.outcome = 'dropped';
    req.socket.destroy();
    return true;
  }
  const refusal = earlyRefusal(world, session, fault);
  if (refusal === undefined) return false;
  record.outcome = 'failed';
  record.error = refusal.description;
  world.tasks.fail(task, refusal.description);
  req.socket.end(pageText(unauthorised(realm)));
  return true;
}

/**
 * PUT /import_raw_vdi?vdi=…&session_id=…&task_id=…: like the genuine handler it answers 200 as soon as it begins, and closes the
 * connection when the content is written; whether that went well is told by the task only.
 */
export async function importRawVdi(world: World, host: string, req: IncomingMessage): Promise<void> {
  if (req.headers['content-length'] === undefined) {
    req.socket.end(pageText(internalError('Failure("We require a content-length: HTTP header")')));
    return;
  }
  const transfer = begin(world, host, req, 'put_import_raw_vdi');
  if (typeof transfer === 'string') {
    req.socket.end(transfer);
    return;
  }
  const { fault, target } = takeFault(transfer);
  const { record, task } = transfer;
  if (endsEarly(transfer, fault, 'put_import_raw_vdi')) return;
  const isLate = fault?.kind === 'late-effect' || fault?.kind === 'late-request';
  if (!record.cut || fault?.kind === 'cut') req.socket.write(okHead(transfer));
  const reached = { method: record.method, taskRef: task, callId: record.seq };
  await settle(transfer, async () => {
    const content = await receive(req, fault?.kind === 'cut' && fault.at === 'mid');
    if (isLate) req.socket.destroy();
    if (fault?.kind === 'slow' || isLate) await sleep(fault.delayMs, undefined, { signal: world.closing.signal });
    await world.faults.pass('before-effect', target, reached);
    if (fault?.kind === 'refused') throw new XapiError(...fault.error);
    await store(transfer, content);
    await world.faults.pass('after-effect', target, reached);
  });
  if (record.cut) req.socket.destroy();
  else req.socket.end();
}

/** GET /export_raw_vdi?vdi=…: the whole disk, zeros where nothing was written. */
export async function exportRawVdi(world: World, host: string, req: IncomingMessage): Promise<void> {
  const transfer = begin(world, host, req, 'get_export_raw_vdi');
  if (typeof transfer === 'string') {
    req.socket.end(transfer);
    return;
  }
  const { fault } = takeFault(transfer);
  if (endsEarly(transfer, fault, 'get_export_raw_vdi')) return;
  const { virtual_size: size } = world.store.get('VDI', transfer.vdi);
  req.socket.write(okHead(transfer, [`Content-Length: ${size}`]));
  await settle(transfer, async () => {
    if (fault?.kind === 'slow') await sleep(fault.delayMs, undefined, { signal: world.closing.signal });
    if (fault?.kind === 'refused') throw new XapiError(...fault.error);
    const content = (await world.contents.read(transfer.vdi)) ?? Buffer.alloc(0);
    req.socket.write(content);
    const zeros = Buffer.alloc(2 ** 20);
    const end = transfer.record.cut ? size / 2 : size;
    for (let left = end - content.length; left > 0 && !req.socket.destroyed; left -= zeros.length) {
      const room = req.socket.write(zeros.subarray(0, Math.min(left, zeros.length)));
      if (!room) await new Promise((resolve) => req.socket.once('drain', resolve).once('close', resolve));
    }
  });
  req.socket.end();
}
