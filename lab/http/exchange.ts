import type { IncomingMessage } from 'node:http';
import type { OpenCall } from '../call-log.ts';
import { earlyRefusal, losesAnswer, namesOfHost } from '../dispatch/call-faults.ts';
import { describeError } from '../dispatch/dispatcher.ts';
import type { Fault } from '../fault-spec.ts';
import type { Target } from '../faults.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { pageText, unauthorised } from './pages.ts';

/** A transfer of content between a client and the pool, with the task that tells how it went. */
export interface Exchange {
  readonly world: World;
  readonly req: IncomingMessage;
  readonly host: string;
  readonly query: URLSearchParams;
  readonly session: string;
  readonly task: string;
  readonly record: OpenCall;
}

/** Takes the task that the request names, or makes one, and notes the request in the log. Throws HANDLE_INVALID. */
export function openExchange(world: World, host: string, req: IncomingMessage, realm: string): Exchange {
  const url = new URL(req.url ?? '', 'http://host');
  const query = url.searchParams;
  const task = query.get('task_id') ?? world.tasks.create(realm, '', host);
  world.store.get('task', task);
  const params = Object.fromEntries([...query].filter(([name]) => name !== 'session_id'));
  const record = world.log.open({
    method: `${req.method ?? ''} ${url.pathname}`,
    params: [params],
    mutating: req.method === 'PUT',
    pool: world.id,
    host: world.store.get('host', host).name_label,
  });
  record.taskRef = task;
  return { world, req, host, query, session: query.get('session_id') ?? '', task, record };
}

/** Where the SR can be reached, as an answer, if that is not the host that was asked. */
export function redirection(world: World, host: string, req: IncomingMessage, sr: string): string | undefined {
  const pbds = world.store.get('SR', sr).PBDs.map((ref) => world.store.get('PBD', ref));
  const hosts = pbds.filter((pbd) => pbd.currently_attached);
  const [first] = hosts;
  if (first === undefined || hosts.some((pbd) => pbd.host === host)) return undefined;
  const { address } = world.store.get('host', first.host);
  const location = `${world.scheme}://${address}:${req.socket.localPort}${req.url ?? ''}`;
  return `HTTP/1.1 302 Found\r\nLocation: ${location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`;
}

export const okHead = ({ world, task }: Exchange, extra: readonly string[] = []): string =>
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

/** Throws `cutOff` when the client goes away before all of it is there, or the connection is to break at half of it. */
export async function receive(req: IncomingMessage, breaksAtHalf: boolean, cutOff: XapiError): Promise<Buffer> {
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
    throw cutOff;
  }
  return Buffer.concat(chunks);
}

/** Tells the task how it went; what the effect gives is its result. */
export async function settle({ world, task, record }: Exchange, effect: () => Promise<string>): Promise<boolean> {
  try {
    world.tasks.succeed(task, await world.log.attribute(record, effect));
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

export function takeFault(
  { world, host, record }: Exchange,
  objects: ReadonlySet<string>,
): { fault: Fault | undefined; target: Target } {
  const target = { method: record.method, objects, pool: world.id, host: namesOfHost(world, host) };
  const fault = world.faults.take(target, record);
  record.cut = losesAnswer(fault);
  return { fault, target };
}

/** Whether the fault ends the transfer before it begins; the caller was told, or cut off. */
export function endsEarly(
  { world, req, session, task, record }: Exchange,
  fault: Fault | undefined,
  realm: string,
): boolean {
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
