import type { IncomingMessage } from 'node:http';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { isAuthorised } from './credentials.ts';
import { databaseDump } from './database-dump.ts';
import { vmMetadata } from './export-metadata.ts';
import { forbidden, internalError, notFound, pageText, unauthorised } from './pages.ts';
import { namedVm } from './vm-transfer.ts';

interface Request {
  readonly world: World;
  readonly host: string;
  readonly query: URLSearchParams;
}

/** The whole answer, head and body. */
type Answer = (request: Request) => string | Buffer;

const streamHead = (...lines: readonly string[]): string => [...lines, '', ''].join('\r\n');

const closing = ['Connection: close', 'Cache-Control: no-cache, no-store'];

function exportMetadata(request: Request): Buffer {
  const { world, host, query } = request;
  const body = vmMetadata(world, namedVm(world, query));
  const task = query.get('task_id') ?? world.tasks.create('VM metadata export', '', host);
  const head = streamHead(
    'HTTP/1.0 200 OK',
    ...closing,
    `task-id: ${task}`,
    'Server: xapi/25.33',
    'content-type: application/octet-stream',
    `Content-Length: ${body.length}`,
    'Content-Disposition: attachment; filename="export.xva"',
  );
  world.tasks.succeed(task, '');
  return Buffer.concat([Buffer.from(head), body]);
}

/** Nothing of the kind is kept: no statistics, no logs, no stored files. */
const nothingKept = (): string => streamHead('HTTP/1.0 404 Not Found', ...closing);

/** The request is official, the lab has no behaviour for it and says so. */
const unmodelled =
  (name: string): Answer =>
  () =>
    pageText(internalError(`NOT_IMPLEMENTED: [ ${name} ]`));

/** What a GET or a PUT reaches beside calls and the transfer of disks, by method and path: the daemon's name of it, and the answer. */
const handlers: Readonly<Record<string, readonly [realm: string, answer?: Answer]>> = {
  'GET /export_metadata': ['get_export_metadata', exportMetadata],
  'GET /pool/xmldbdump': [
    'get_pool_xml_db_sync',
    ({ world }) => streamHead('HTTP/1.1 200 OK', ...closing) + databaseDump(world),
  ],
  'GET /rrd_updates': ['get_rrd_updates', nothingKept],
  'GET /vm_rrd': ['get_vm_rrd', nothingKept],
  'GET /host_rrd': ['get_host_rrd', nothingKept],
  'GET /sr_rrd': ['get_sr_rrd', nothingKept],
  'GET /console': ['get_console', () => pageText(internalError('Console.Failure'))],
  'GET /services': ['get_services'],
  'GET /blob': ['get_blob', () => pageText(notFound)],
  'GET /audit_log': ['get_audit_log', () => streamHead('HTTP/1.0 200 OK', ...closing)],
  'GET /host_backup': ['get_host_backup'],
  'GET /host_logs_download': ['get_host_logs_download'],
  'GET /system-status': ['get_system_status'],
  'GET /vncsnapshot': ['get_vncsnapshot'],
  'GET /config_sync': ['get_config_sync'],
  'GET /message_rss_feed': ['get_message_rss_feed'],
  'GET /wlb_report': ['get_wlb_report'],
  'GET /wlb_diagnostics': ['get_wlb_diagnostics'],
  'GET /pool_patch_download': ['get_pool_patch_download'],
  'GET /host_updates': ['get_host_updates'],
  'PUT /import_metadata': ['put_import_metadata'],
  'PUT /blob': ['put_blob'],
  'PUT /rrd': ['put_rrd'],
  'PUT /host_restore': ['put_host_restore'],
  'PUT /pool/xmldbdump': ['put_pool_xml_db_sync'],
  'PUT /services': ['put_services'],
  'PUT /bundle': ['put_bundle'],
};

const exceptionText = (error: unknown): string =>
  error instanceof XapiError ? `Server_error(${error.code}, [ ${error.params.join('; ')} ])` : (error as Error).message;

/** The whole answer to a GET or a PUT that is no transfer of a disk. There is no web root. */
export function answerHandler(world: World, host: string, req: IncomingMessage): string | Buffer {
  const [path = '', search] = (req.url ?? '').split('?');
  const query = new URLSearchParams(search);
  const [realm, answer = unmodelled(path)] = handlers[`${req.method ?? ''} ${path}`] ?? [];
  if (realm === undefined) return pageText(forbidden, req.httpVersion);
  if (!isAuthorised(world, query, req)) return pageText(unauthorised(realm));
  try {
    return answer({ world, host, query });
  } catch (error) {
    return pageText(internalError(exceptionText(error)));
  }
}
