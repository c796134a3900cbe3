import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { importVms } from '../behaviour/vm-import.ts';
import { assertVmCan } from '../behaviour/vm-support.ts';
import { xmlPrinter } from '../wire/xml-printer.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { isAuthorised } from './credentials.ts';
import type { Exchange } from './exchange.ts';
import { endsEarly, okHead, openExchange, receive, redirection, settle, takeFault } from './exchange.ts';
import { forbidden, internalError, pageText, unauthorised } from './pages.ts';
import { readXva, xvaOf } from './xva.ts';

const queryOf = (req: IncomingMessage): URLSearchParams => new URL(req.url ?? '', 'http://host').searchParams;

/** The VM named by `uuid` or `ref`. Throws UUID_INVALID or HANDLE_INVALID. */
export function namedVm(world: World, query: URLSearchParams): string {
  const uuid = query.get('uuid');
  const ref = uuid === null ? (query.get('ref') ?? '') : world.store.byUuid('VM', uuid);
  if (ref === undefined) throw new XapiError('UUID_INVALID', 'VM', uuid ?? '');
  world.store.get('VM', ref);
  return ref;
}

/** The archive to the client, packed if it wishes so. */
async function send({ world, req, query, record }: Exchange, vm: string): Promise<string> {
  const isPacked = ['true', 'gzip'].includes(query.get('use_compression') ?? '');
  const pieces = async function* (): AsyncGenerator<Buffer> {
    for await (const piece of xvaOf(world, vm)) {
      yield piece;
      if (record.cut) return;
    }
  };
  const source = Readable.from(pieces());
  if (isPacked) await pipeline(source, createGzip(), req.socket, { end: false });
  else await pipeline(source, req.socket, { end: false });
  return '';
}

/**
 * GET /export?ref=…|uuid=…&use_compression=true: the VM with its disks, as an XVA. Whether all of it was sent is told by the task;
 * a VM that cannot be exported is refused with status 500 before anything is sent.
 */
export async function exportVm(world: World, host: string, req: IncomingMessage): Promise<void> {
  const [realm, query] = ['get_export', queryOf(req)];
  if (!isAuthorised(world, query, req)) return void req.socket.end(pageText(unauthorised(realm)));
  if (query.get('use_compression') === 'zstd')
    return void req.socket.end(pageText(internalError('NOT_IMPLEMENTED: [ zstd ]')));
  const vm = namedVm(world, query);
  const exchange = openExchange(world, host, req, realm);
  const { task, record } = exchange;
  const { uuid, name_label: name } = world.store.get('VM', vm);
  const { fault } = takeFault(exchange, new Set([vm, uuid, name]));
  if (endsEarly(exchange, fault, realm)) return;
  const check = () => assertVmCan(world, vm, { name: 'export', states: ['Halted', 'Suspended'] });
  const operation = { cls: 'VM', ref: vm, name: 'export', id: task, signal: world.life, check } as const;
  const progress = { isBegun: false };
  await settle(exchange, () =>
    world.operations.run(
      operation,
      () => undefined,
      async () => {
        if (fault?.kind === 'slow') await sleep(fault.delayMs, undefined, { signal: world.life });
        if (fault?.kind === 'refused') throw new XapiError(...fault.error);
        progress.isBegun = true;
        req.socket.write(okHead(exchange, ['Content-Disposition: attachment; filename="export.xva"']));
        return send(exchange, vm);
      },
    ),
  );
  if (record.cut) return void req.socket.destroy();
  if (progress.isBegun) return void req.socket.end();
  req.socket.end(pageText(internalError((record.error ?? []).join(' '))));
}

/** Throws DEFAULT_SR_NOT_FOUND, HANDLE_INVALID, UUID_INVALID. */
function targetSr(world: World, query: URLSearchParams): string {
  const [ref, uuid] = [query.get('sr_id'), query.get('sr_uuid')];
  const { default_SR: usual } = world.store.get('pool', world.pool.ref);
  const found = ref ?? (uuid === null ? usual : world.store.byUuid('SR', uuid));
  if (found === undefined) throw new XapiError('UUID_INVALID', 'SR', uuid ?? '');
  if (found === usual && world.store.find('SR', usual) === undefined)
    throw new XapiError('DEFAULT_SR_NOT_FOUND', usual);
  world.store.get('SR', found);
  return found;
}

/**
 * PUT /import?sr_id=…&restore=true&force=true: 200 as soon as it begins, the connection closes at the end; the task's result is
 * the set of the VMs' references, or the task says why there are none.
 */
export async function importVm(world: World, host: string, req: IncomingMessage): Promise<void> {
  const [realm, query] = ['put_import', queryOf(req)];
  if (!isAuthorised(world, query, req)) return void req.socket.end(pageText(unauthorised(realm)));
  const sr = targetSr(world, query);
  const elsewhere = redirection(world, host, req, sr);
  if (elsewhere !== undefined) return void req.socket.end(elsewhere);
  const exchange = openExchange(world, host, req, realm);
  const { record } = exchange;
  const { fault } = takeFault(exchange, new Set(query.values()));
  if (endsEarly(exchange, fault, realm)) return;
  const isChunked = req.headers['transfer-encoding'] !== undefined;
  if (!record.cut || fault?.kind === 'cut') req.socket.write(isChunked ? pageText(forbidden) : okHead(exchange));
  await settle(exchange, async () => {
    if (isChunked) throw new XapiError('IMPORT_ERROR_CANNOT_HANDLE_CHUNKED');
    const cutOff = new XapiError('IMPORT_ERROR_PREMATURE_EOF');
    const archive = await receive(req, fault?.kind === 'cut' && fault.at === 'mid', cutOff);
    if (fault?.kind === 'slow') await sleep(fault.delayMs, undefined, { signal: world.closing.signal });
    if (fault?.kind === 'refused') throw new XapiError(...fault.error);
    const force = query.get('force') === 'true';
    const xva = readXva(world, archive, force);
    await sleep((world.latency.milliseconds('importPerMiB') * archive.length) / 2 ** 20);
    const vms = await importVms(world, xva, { sr, restore: query.get('restore') === 'true', force });
    return xmlPrinter.array(vms.map((vm) => xmlPrinter.string(vm)));
  });
  if (record.cut) req.socket.destroy();
  else req.socket.end();
}
