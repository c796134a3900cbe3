import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { EventSourceMessage } from 'eventsource-parser/stream';
import type { RunEvent } from './api-client.ts';
import type { Io } from './io.ts';
import { patiently, pause } from './patience.ts';

/** The server pings every 15 s: a connection that is silent for longer than three of them is dead. */
const SILENCE_LIMIT_MS = 50_000;

/** The first message of every connection only tells where it begins. */
const BEGIN = 'begin';

/** Opens the stream after the event with this id. */
type Open = (lastEventId: string | undefined, signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>;

/**
 * The events of a stream in their order, each exactly once, over as many connections as it takes; ends only when the
 * signal is aborted. Throws CliFailure when the server refuses, or stays away for too long.
 */
export async function* eventsFrom(
  io: Pick<Io, 'err'>,
  signal: AbortSignal,
  open: Open,
): AsyncGenerator<RunEvent, void, undefined> {
  let lastEventId: string | undefined;
  while (!signal.aborted) {
    const silence = new AbortController();
    const connection = AbortSignal.any([signal, silence.signal]);
    const body = await patiently(io, signal, () => open(lastEventId, connection));
    for await (const { id, event, data } of messagesOf(body, silence)) {
      lastEventId = id ?? lastEventId;
      if (event !== BEGIN) yield JSON.parse(data) as RunEvent;
    }
    await pause(signal);
  }
}

/** Ends when the connection does, for whatever reason: the next one goes on after the last event that came whole. */
async function* messagesOf(body: ReadableStream<Uint8Array>, silence: AbortController) {
  const dead = setTimeout(() => silence.abort(), SILENCE_LIMIT_MS);
  const alive = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      dead.refresh();
      controller.enqueue(chunk);
    },
  });
  const messages = body
    .pipeThrough(alive)
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  const reader = messages.getReader();
  try {
    for (;;) {
      const message = await nextOf(reader);
      if (message === undefined) return;
      yield message;
    }
  } finally {
    clearTimeout(dead);
    silence.abort();
  }
}

/** Undefined when there is no next one; a cut connection is no failure, since it is made again. */
async function nextOf(reader: ReadableStreamDefaultReader<EventSourceMessage>) {
  try {
    return (await reader.read()).value;
  } catch {
    return undefined;
  }
}
