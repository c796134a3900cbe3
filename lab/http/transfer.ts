import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { setUtilisation } from '../behaviour/vdi.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { isAuthorised } from './credentials.ts';
import type { Exchange } from './exchange.ts';
import { endsEarly, okHead, openExchange, receive, redirection, settle, takeFault } from './exchange.ts';
import { forbidden, internalError, pageText, unauthorised } from './pages.ts';

const ioError = (): XapiError => new XapiError('VDI_IO_ERROR', 'Device I/O errors');

/** A disk's content on its way in or out. */
interface Transfer extends Exchange {
  readonly vdi: string;
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
  const elsewhere = redirection(world, host, req, world.store.get('VDI', vdi).SR);
  return elsewhere ?? { ...openExchange(world, host, req, realm), vdi };
}

/** What faults may call the disk by. */
function namesOfDisk({ world, vdi }: Transfer): Set<string> {
  const { uuid, name_label: name } = world.store.get('VDI', vdi);
  return new Set([vdi, uuid, name]);
}

/** Throws the error that the task ends with. */
async function store({ world, vdi }: Transfer, content: Buffer): Promise<void> {
  const { virtual_size: size, VBDs: attachments } = world.store.get('VDI', vdi);
  if (attachments.some((ref) => world.store.get('VBD', ref).currently_attached))
    throw new XapiError('VDI_IN_USE', vdi, 'import');
  if (content.length > size) throw ioError();
  await sleep((world.latency.milliseconds('importPerMiB') * content.length) / 2 ** 20);
  await world.contents.write(vdi, content);
  setUtilisation(world, vdi, size);
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
  const { fault, target } = takeFault(transfer, namesOfDisk(transfer));
  const { record, task } = transfer;
  if (endsEarly(transfer, fault, 'put_import_raw_vdi')) return;
  const isLate = fault?.kind === 'late-effect' || fault?.kind === 'late-request';
  if (!record.cut || fault?.kind === 'cut') req.socket.write(okHead(transfer));
  const reached = { method: record.method, taskRef: task, callId: record.seq };
  await settle(transfer, async () => {
    const content = await receive(req, fault?.kind === 'cut' && fault.at === 'mid', ioError());
    if (isLate) req.socket.destroy();
    if (fault?.kind === 'slow' || isLate) await sleep(fault.delayMs, undefined, { signal: world.closing.signal });
    await world.faults.pass('before-effect', target, reached);
    if (fault?.kind === 'refused') throw new XapiError(...fault.error);
    await store(transfer, content);
    await world.faults.pass('after-effect', target, reached);
    return '';
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
  const { fault } = takeFault(transfer, namesOfDisk(transfer));
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
    return '';
  });
  req.socket.end();
}
