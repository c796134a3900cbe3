import { setTimeout as delay } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import { z } from 'zod';
import { runEvent } from '../../../api/schemas.ts';
import { TOKEN } from './rig.ts';

const SEEN_EVENT = z.strictObject(runEvent.shape);

export interface SeenEvent {
  readonly id: number;
  readonly kind: string;
  readonly data: z.output<typeof runEvent>;
}

interface Asked {
  readonly after?: number;
  readonly token?: string;
}

/** A client of a stream that resumes as an EventSource does: with the id of the last event that it has seen. */
export class EventClient {
  readonly events: SeenEvent[] = [];
  comments = 0;
  readonly #url: string;
  readonly #token: string;
  #lastId: string | undefined;
  #abort = new AbortController();
  #reading: Promise<void> = Promise.resolve();

  constructor(url: string, { after, token = TOKEN }: Asked = {}) {
    this.#url = url;
    this.#token = token;
    this.#lastId = after === undefined ? undefined : String(after);
  }

  /** Connects, or connects again; answers the status. `at` is another server with the same paths. */
  async connect(at?: string): Promise<number> {
    this.#abort = new AbortController();
    const url = at === undefined ? this.#url : new URL(new URL(this.#url).pathname, at);
    const headers = { authorization: `Bearer ${this.#token}` };
    const response = await fetch(url, {
      headers: this.#lastId === undefined ? headers : { ...headers, 'last-event-id': this.#lastId },
      signal: this.#abort.signal,
    });
    if (response.status !== 200) await response.text();
    else this.#reading = this.#read(response);
    return response.status;
  }

  /** Resolves when the server has closed or cut the stream. */
  async ended(): Promise<void> {
    await this.#reading;
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#reading;
  }

  async until(wanted: (client: this) => boolean): Promise<void> {
    while (!wanted(this)) await delay(20);
  }

  async #read(response: Response): Promise<void> {
    const parser = createParser({
      onEvent: ({ id, event, data }) => {
        this.#lastId = id;
        if (event === 'begin') return;
        this.events.push({ id: Number(id), kind: event ?? '', data: SEEN_EVENT.parse(JSON.parse(data)) });
      },
      onComment: () => (this.comments += 1),
    });
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
    } catch {
      return; // cut, by the server or by ourselves: what was seen stays
    }
  }
}
