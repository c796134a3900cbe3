import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Tape } from './probe-tape.ts';
import { RecordReader, decodeRecord, encodeRecord, nowMs, type EndReport, type ProbeRole } from './probe-wire.ts';

const socketBufferBytes = 4 * 2 ** 20;
/** How long the last answers are waited for. */
const quietUdpMs = 1_000;
const quietTcpMs = 10_000;

type Sender = Extract<ProbeRole, { role: 'sender' }>;
/** How an end came to its end. */
type Ending = Pick<EndReport, 'overflowed' | 'broken'>;

/** What an end is given by whoever plays it. */
export interface Stage {
  readonly tape: Tape;
  readonly onReady: () => void;
  /** Aborted: a receiver ends, a sender sends no more. */
  readonly end: AbortSignal;
}

/** Sends by the clock: what a late timer has missed is made up for at once, so that the number per second is kept. */
async function sendByClock(
  { perSecond, seconds }: Sender,
  { tape, end }: Stage,
  send: (sequence: number) => void,
): Promise<void> {
  const total = Math.round(perSecond * seconds);
  const startedAtMs = nowMs();
  while (tape.sent < total && !end.aborted) {
    const due = Math.min(total, Math.floor(((nowMs() - startedAtMs) * perSecond) / 1_000) + 1);
    while (tape.sent < due) send(tape.noteSending());
    await sleep(1);
  }
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

async function untilEnded(end: AbortSignal): Promise<void> {
  if (!end.aborted) await once(end, 'abort');
}

export async function sendUdp(role: Sender, stage: Stage): Promise<Ending> {
  const { tape } = stage;
  const socket = await boundUdp(0);
  socket.on('message', (message) => {
    const sequence = decodeRecord(message);
    if (sequence !== undefined) tape.noteArrival(sequence);
  });
  stage.onReady();
  // Nobody there, no route for a moment: a lost probe, which is what is measured.
  await sendByClock(role, stage, (sequence) =>
    socket.send(encodeRecord(sequence), role.port, role.address, () => undefined),
  );
  await until(() => tape.arrived >= tape.sent, quietUdpMs);
  const overflowed = overflowOf(socket.address().port);
  socket.close();
  return { overflowed, broken: undefined };
}

/** Answers every probe until it is told to end. */
export async function receiveUdp(port: number, { tape, onReady, end }: Stage): Promise<Ending> {
  const socket = await boundUdp(port);
  socket.on('message', (message, from) => {
    const sequence = decodeRecord(message);
    if (sequence === undefined) return;
    tape.noteArrival(sequence);
    socket.send(message, from.port, from.address, () => undefined);
  });
  onReady();
  await untilEnded(end);
  const overflowed = overflowOf(port);
  socket.close();
  return { overflowed, broken: undefined };
}

export async function sendTcp(role: Sender, stage: Stage): Promise<Ending> {
  const { tape } = stage;
  const socket = connect({ host: role.address, port: role.port, noDelay: true });
  const reader = new RecordReader();
  const reasons: string[] = [];
  socket.on('error', (error) => reasons.push(error.message));
  socket.on('close', () => reasons.push('the far end closed the connection'));
  socket.on('data', (data) => {
    for (const sequence of reader.read(data)) tape.noteArrival(sequence);
  });
  await until(() => reasons.length > 0 || !socket.connecting, quietTcpMs);
  stage.onReady();
  await sendByClock(role, stage, (sequence) => {
    if (reasons.length === 0) socket.write(encodeRecord(sequence));
  });
  await until(() => reasons.length > 0 || tape.arrived >= tape.sent, quietTcpMs);
  const missing = tape.sent - tape.arrived;
  if (missing > 0) reasons.push(`${missing} records did not come back within ${quietTcpMs} ms`);
  const [broken] = reasons;
  socket.destroy();
  return { overflowed: 0, broken };
}

/** Answers on every connection until it is told to end. */
export async function receiveTcp(port: number, { tape, onReady, end }: Stage): Promise<Ending> {
  const server = createServer({ noDelay: true }, (socket) => {
    const reader = new RecordReader();
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => {
      for (const sequence of reader.read(data)) tape.noteArrival(sequence);
      socket.write(data);
    });
  });
  server.listen(port, '0.0.0.0');
  await once(server, 'listening');
  onReady();
  await untilEnded(end);
  server.close();
  return { overflowed: 0, broken: undefined };
}
