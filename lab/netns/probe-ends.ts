import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { RecordReader, decodeRecord, encodeRecord, nowMs, type EndReport, type ProbeRole } from './probe-wire.ts';

const socketBufferBytes = 4 * 2 ** 20;
/** How long the last answers are waited for. */
const quietUdpMs = 1_000;
const quietTcpMs = 10_000;

type Sender = Extract<ProbeRole, { role: 'sender' }>;
type Arrivals = [number, number][];

/** Sends by the clock: what a late timer has missed is made up for at once, so that the number per second is kept. */
async function sendByClock({ perSecond, seconds }: Sender, send: (sequence: number) => void): Promise<number[]> {
  const sentAtMs: number[] = [];
  const total = Math.round(perSecond * seconds);
  const startedAtMs = nowMs();
  while (sentAtMs.length < total) {
    const due = Math.min(total, Math.floor(((nowMs() - startedAtMs) * perSecond) / 1_000) + 1);
    while (sentAtMs.length < due) {
      sentAtMs.push(nowMs());
      send(sentAtMs.length - 1);
    }
    await sleep(1);
  }
  return sentAtMs;
}

async function until(isDone: () => boolean, limitMs: number): Promise<void> {
  const endMs = nowMs() + limitMs;
  while (!isDone() && nowMs() < endMs) await sleep(10);
}

/** The last column of the kernel's table: datagrams that found the buffer of the socket full. */
function overflowOf(port: number): number {
  const lines = readFileSync('/proc/net/udp', 'utf8').trim().split('\n').slice(1);
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const own = lines.map((line) => line.trim().split(/\s+/)).filter(([, local = '']) => local.endsWith(suffix));
  return own.reduce((sum, columns) => sum + Number(columns.at(-1)), 0);
}

async function boundUdp(port: number): Promise<UdpSocket> {
  const socket = createSocket('udp4');
  socket.bind(port, '0.0.0.0');
  await once(socket, 'listening');
  socket.setRecvBufferSize(socketBufferBytes);
  return socket;
}

export async function sendUdp(role: Sender, onStart: () => void): Promise<EndReport> {
  const socket = await boundUdp(0);
  const arrivals: Arrivals = [];
  socket.on('message', (message) => {
    const sequence = decodeRecord(message);
    if (sequence !== undefined) arrivals.push([sequence, nowMs()]);
  });
  onStart();
  // Nobody there, no route for a moment: a lost probe, which is what is measured.
  const sentAtMs = await sendByClock(role, (sequence) =>
    socket.send(encodeRecord(sequence), role.port, role.address, () => undefined),
  );
  await until(() => arrivals.length >= sentAtMs.length, quietUdpMs);
  const overflowed = overflowOf(socket.address().port);
  socket.close();
  return { sentAtMs, arrivals, overflowed, broken: undefined };
}

/** Answers every probe until it is told to end. */
export async function receiveUdp(port: number, onReady: () => void, end: Promise<unknown>): Promise<EndReport> {
  const socket = await boundUdp(port);
  const arrivals: Arrivals = [];
  socket.on('message', (message, from) => {
    const sequence = decodeRecord(message);
    if (sequence === undefined) return;
    arrivals.push([sequence, nowMs()]);
    socket.send(message, from.port, from.address, () => undefined);
  });
  onReady();
  await end;
  const overflowed = overflowOf(port);
  socket.close();
  return { sentAtMs: [], arrivals, overflowed, broken: undefined };
}

export async function sendTcp(role: Sender, onStart: () => void): Promise<EndReport> {
  const socket = connect({ host: role.address, port: role.port, noDelay: true });
  const arrivals: Arrivals = [];
  const reader = new RecordReader();
  const reasons: string[] = [];
  socket.on('error', (error) => reasons.push(error.message));
  socket.on('close', () => reasons.push('the far end closed the connection'));
  socket.on('data', (data) => {
    for (const sequence of reader.read(data)) arrivals.push([sequence, nowMs()]);
  });
  await until(() => reasons.length > 0 || !socket.connecting, quietTcpMs);
  onStart();
  const sentAtMs = await sendByClock(role, (sequence) => {
    if (reasons.length === 0) socket.write(encodeRecord(sequence));
  });
  await until(() => reasons.length > 0 || arrivals.length >= sentAtMs.length, quietTcpMs);
  const missing = sentAtMs.length - arrivals.length;
  if (missing > 0) reasons.push(`${missing} records did not come back within ${quietTcpMs} ms`);
  const [broken] = reasons;
  socket.destroy();
  return { sentAtMs, arrivals, overflowed: 0, broken };
}

/** Answers on every connection until it is told to end. */
export async function receiveTcp(port: number, onReady: () => void, end: Promise<unknown>): Promise<EndReport> {
  const arrivals: Arrivals = [];
  const server = createServer({ noDelay: true }, (socket) => {
    const reader = new RecordReader();
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => {
      for (const sequence of reader.read(data)) arrivals.push([sequence, nowMs()]);
      socket.write(data);
    });
  });
  server.listen(port, '0.0.0.0');
  await once(server, 'listening');
  onReady();
  await end;
  server.close();
  return { sentAtMs: [], arrivals, overflowed: 0, broken: undefined };
}
