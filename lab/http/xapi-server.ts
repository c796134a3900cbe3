import { isUtf8 } from 'node:buffer';
import { createServer } from 'node:http';
import type { IncomingMessage, Server as PlainServer, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { identityOf } from '../behaviour/certificates.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import { refuseInEmergency } from '../dispatch/emergency.ts';
import type { Codec, DecodedCall } from '../wire/codec.ts';
import { firstJsonCodec, jsonCodec } from '../wire/json-codec.ts';
import { MalformedBody } from '../wire/rpc.ts';
import { xmlCodec, xmlFailure } from '../wire/xml-codec.ts';
import type { Listener } from '../world/machines.ts';
import type { Place } from '../world/site.ts';
import { answerHandler } from './handlers.ts';
import type { Page } from './pages.ts';
import { forbidden, headersTooLarge, internalError, notImplemented, pageText, requestTimeout } from './pages.ts';
import type { JsonRpc } from '../products.ts';
import { uploadPatch } from './patch-upload.ts';
import { answerUpdates } from './updates-page.ts';
import { exportRawVdi, importRawVdi } from './transfer.ts';
import { exportVm, importVm } from './vm-transfer.ts';

const maxBodyBytes = 300 * 1024;
const maxHeaderBytes = 1024;
/** Longer than any client keeps an idle connection, so that the client is the one to close it. */
const idleMs = 300_000;

const cors = ['Access-Control-Allow-Origin', '*', 'Access-Control-Allow-Headers', 'X-Requested-With'];

function sendPage(req: IncomingMessage, page: Page): void {
  req.socket.end(pageText(page, req.httpVersion));
}

function sendOk(
  req: IncomingMessage,
  res: ServerResponse,
  contentType: string | undefined,
  body: string,
  extra: readonly string[],
): void {
  const keep = req.httpVersion !== '1.0' && req.headers.connection?.toLowerCase() !== 'close';
  const length = String(Buffer.byteLength(body));
  const headers = [
    'content-length',
    length,
    'connection',
    keep ? 'keep-alive' : 'close',
    'cache-control',
    'no-cache, no-store',
  ];
  if (contentType !== undefined) headers.push('content-type', contentType);
  headers.push(...extra);
  if (req.httpVersion === '1.0') {
    const lines = headers.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${headers[at + 1] ?? ''}`] : []));
    req.socket.end(`HTTP/1.0 200 OK\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
    return;
  }
  res.sendDate = false;
  res.writeHead(200, 'OK', headers);
  res.end(body);
}

/** The encoding is chosen by the path alone. */
function codecOf(jsonRpc: JsonRpc, path: string): Codec {
  if (jsonRpc === 'none' || !/^\/jsonrpc\/?$/.test(path)) return xmlCodec;
  return jsonRpc === 'version 1' ? firstJsonCodec : jsonCodec;
}

/** The whole head and half of the body; then the connection breaks. */
function sendHalf(req: IncomingMessage, res: ServerResponse, contentType: string, body: string): void {
  res.sendDate = false;
  res.writeHead(200, 'OK', ['content-length', String(Buffer.byteLength(body)), 'content-type', contentType, ...cors]);
  res.write(body.slice(0, body.length / 2), () => req.socket.destroy());
}

async function readBody(req: IncomingMessage, codec: Codec): Promise<string> {
  if (Number(req.headers['content-length']) > maxBodyBytes)
    throw new MalformedBody('Http_svr.Client_requested_size_over_limit');
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  if (codec === xmlCodec && !isUtf8(body)) throw new MalformedBody('Xmlm.Error(1:1, "malformed character stream")');
  return body.toString('utf8');
}

/** The host that answers, and what its calls go through. */
export interface Home extends Place {
  readonly dispatcher: Dispatcher;
}

/** One host's address of the pool: HTTP in, API calls and transfers out. */
export class XapiServer implements Listener {
  home: Home;
  private server: PlainServer | TlsServer | undefined;
  private readonly sockets = new Set<Socket>();
  private place = { address: '', port: 0 };

  constructor(home: Home) {
    this.home = home;
  }

  get address(): string {
    return this.place.address;
  }

  /** While it is closed: where it opens next, and as which host. */
  move(home: Home, port: number): void {
    this.home = home;
    this.place = { ...this.place, port };
  }

  /** Rejects when the address is taken. Resolves to the port. */
  async listen(address: string, port: number): Promise<number> {
    this.place = { address, port };
    await this.open();
    return this.place.port;
  }

  /** Listens where it was told to, again after a close. */
  async open(): Promise<void> {
    if (this.server !== undefined) return;
    const server = this.newServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: this.place.address, port: this.place.port, exclusive: true }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    this.server = server;
    const bound = server.address();
    if (typeof bound === 'object' && bound !== null) this.place = { ...this.place, port: bound.port };
  }

  /** Cuts what is still connected, also what is in the middle of a TLS handshake. */
  async close(): Promise<void> {
    const { server } = this;
    if (server === undefined) return;
    this.server = undefined;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  renew(): void {
    const { world, host } = this.home;
    if (this.server !== undefined && 'setSecureContext' in this.server)
      this.server.setSecureContext(identityOf(world, host));
  }

  private newServer(): PlainServer | TlsServer {
    const { world, host } = this.home;
    const options = { maxHeaderSize: maxHeaderBytes, requireHostHeader: false, keepAliveTimeout: idleMs };
    const server = world.tls ? createTlsServer({ ...options, ...identityOf(world, host) }) : createServer(options);
    // The daemon knows no Expect header: it never asks for the body, and takes it when it comes.
    for (const event of ['request', 'checkContinue', 'checkExpectation'])
      server.on(event, (req: IncomingMessage, res: ServerResponse) => {
        void this.answer(req, res);
      });
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      if (socket.writable)
        socket.end(pageText(error.code === 'HPE_HEADER_OVERFLOW' ? headersTooLarge : requestTimeout));
    });
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    return server;
  }

  private async answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    req.on('error', () => req.socket.destroy());
    try {
      await this.route(req, res);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (!req.socket.destroyed) sendPage(req, internalError(text));
    }
  }

  private async route(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { method = '' } = req;
    const { world, host } = this.home;
    const [path = ''] = (req.url ?? '').split('?');
    if (method === 'PUT' && path === '/import_raw_vdi') return importRawVdi(world, host, req);
    if (method === 'GET' && path === '/export_raw_vdi') return exportRawVdi(world, host, req);
    if (method === 'GET' && path === '/export') return exportVm(world, host, req);
    if (method === 'PUT' && path === '/import') return importVm(world, host, req);
    if (method === 'PUT' && path === '/pool_patch_upload') return uploadPatch(world, host, req);
    if (method === 'GET' && path === '/updates') return void req.socket.end(answerUpdates(world, req));
    if (method === 'OPTIONS') return sendOk(req, res, undefined, '', [...cors, 'Access-Control-Allow-Methods', 'PUT']);
    if (method === 'GET' || method === 'PUT') return void req.socket.end(answerHandler(world, host, req));
    if (method === 'POST' && req.headers['content-length'] === undefined) {
      // At once: what follows the head would be taken for a second request.
      return sendPage(req, internalError('Failure("We require a content-length: HTTP header")'));
    }
    if (method === 'POST' && path !== '//') return this.call(req, res, codecOf(world.product.jsonRpc, path));
    sendPage(req, ['POST', 'CONNECT'].includes(method) ? forbidden : notImplemented(method));
  }

  /** A daemon without JSON-RPC answers what is no XML as a failed call: text/xml is how clients tell that they must speak XML. */
  private decode(codec: Codec, body: string): DecodedCall | string {
    const { jsonRpc, model } = this.home.world.product;
    try {
      return codec.decodeCall(body, model);
    } catch (error) {
      if (jsonRpc !== 'none' || !(error instanceof MalformedBody)) throw error;
      return xmlFailure(['INTERNAL_ERROR', error.message]);
    }
  }

  private async call(req: IncomingMessage, res: ServerResponse, codec: Codec): Promise<void> {
    const decoded = this.decode(codec, await readBody(req, codec));
    if (typeof decoded === 'string') return sendOk(req, res, codec.contentType, decoded, cors);
    const { world, host, dispatcher } = this.home;
    const refused = refuseInEmergency(world, host, decoded.method);
    if (refused !== undefined) return sendOk(req, res, codec.contentType, codec.refusal(refused), []);
    const reply = await dispatcher.handle(decoded, host);
    if (reply === 'cut') req.socket.destroy();
    else if (reply.cut === 'mid') sendHalf(req, res, codec.contentType, reply.body);
    else sendOk(req, res, codec.contentType, reply.body, cors);
    if (reply !== 'cut' && reply.cut === 'after') res.once('finish', () => req.socket.destroy());
  }
}
