import type { ApiModel } from '../model/model.ts';
import { classes } from '../model/model.ts';
import type { ClassName } from '../model/records.ts';
import type { EventBatch, EventValue } from '../wire/render.ts';
import type { Token } from './event-token.ts';
import { parseToken, tokenText } from './event-token.ts';
import type { Change, Entry, Store } from './store.ts';

/** Reported to nobody: sessions are nobody else's business, roles no rows of the daemon's database. */
const untold: ReadonlySet<string> = new Set(['session', 'role']);
/** Classes whose changes no "*" reports. */
const hidden: ReadonlySet<string> = new Set(['session', 'user', 'role', 'subject', 'secret']);
/** Counted by the daemon although its data model does not show the class. */
const uncatalogued = ['Diagnostics'];

interface Deletion {
  readonly cls: ClassName;
  readonly ref: string;
  readonly createdAt: number;
  readonly deletedAt: number;
}

/** Events with the token that tells how far they go: to the last change of what is watched. */
interface Told {
  readonly events: EventValue[];
  readonly reached: Token;
}

interface Written {
  readonly cls: ClassName;
  readonly entry: Entry;
}

const classOrder = new Map([...classes.keys()].map((cls, at) => [cls, at]));

function byClassAndRef(a: Written, b: Written): number {
  const classes = (classOrder.get(a.cls) ?? 0) - (classOrder.get(b.cls) ?? 0);
  return classes !== 0 ? classes : a.entry.ref < b.entry.ref ? -1 : 1;
}

/** What a client watches: `*`, `vm`, `vm/OpaqueRef:…`, in any letter case of the class. */
function watcher(model: ApiModel, filters: readonly string[]): (cls: ClassName, ref: string) => boolean {
  const wanted = filters.map((filter) => {
    const [cls = '', ref] = filter.split('/');
    return { cls: cls.toLowerCase(), ref };
  });
  return (cls, ref) =>
    model.classes.has(cls) &&
    wanted.some((filter) => {
      if (filter.cls === '*') return !hidden.has(cls);
      return filter.cls === cls.toLowerCase() && !untold.has(cls) && (filter.ref === undefined || filter.ref === ref);
    });
}

/** The event source: what changed since a token, from the store's generations, the latest state of each object only. */
export class Events {
  private readonly store: Store;
  private readonly model: ApiModel;
  private readonly deletions: Deletion[] = [];
  private readonly createdAt = new Map<string, number>();
  /** Every write in order; of an object's entries only the last one counts. */
  private log: { cls: ClassName; ref: string; generation: number }[] = [];
  private lastMessage = 0;
  /** The highest generation that any client was told of: an object that came and went after it concerns nobody. */
  private told = 0;
  /** A token of before says nothing any more. */
  private startedAt = 0;
  private readonly waiting = new Set<() => void>();

  /** Tells of the classes that the release has. */
  constructor(store: Store, model: ApiModel) {
    this.store = store;
    this.model = model;
  }

  observe(change: Change): void {
    const { cls, ref, operation, generation } = change;
    if (cls === 'session') return;
    if (cls === 'message') this.lastMessage = generation;
    if (operation === 'add') this.createdAt.set(ref, generation);
    if (operation === 'del') {
      const createdAt = this.createdAt.get(ref) ?? 0;
      if (createdAt <= this.told) this.deletions.push({ cls, ref, createdAt, deletedAt: generation });
      this.createdAt.delete(ref);
    } else {
      this.log.push({ cls, ref, generation });
      if (this.log.length > 4 * this.createdAt.size + 10_000) this.compact();
    }
    for (const wake of this.waiting) wake();
  }

  /** Waits until something watched has changed, for at most `timeoutMs` (without end when negative); `ended` cuts it short. */
  async from(filters: readonly string[], since: string, timeoutMs: number, ended: AbortSignal): Promise<EventBatch> {
    const token = this.sinceStart(parseToken(since));
    const watched = watcher(this.model, filters);
    const deadline = timeoutMs < 0 ? Infinity : Date.now() + timeoutMs;
    for (;;) {
      const { events, reached } = this.since(token, watched);
      if (events.length > 0) return this.batch(events, reached);
      const leftMs = deadline - Date.now();
      if (leftMs <= 0 || ended.aborted) return this.batch([], token);
      await this.nextChange(leftMs, ended);
    }
  }

  /** What a restarted coordinator does: it tells everything again to a client of before. */
  restart(): void {
    this.store.generation += 1;
    this.startedAt = this.store.generation;
  }

  currentToken(): string {
    this.told = this.store.generation;
    return tokenText(this.position());
  }

  /** From where on a client of event.next wants to know. */
  mark(): number {
    this.told = this.store.generation;
    return this.store.generation;
  }

  /** The events of event.next: everything watched after the generation, with Unix times and without ids. */
  next(filters: readonly string[], after: number): EventValue[] {
    const timestamp = `${Math.floor(Date.now() / 1000)}.`;
    const { events } = this.since({ objects: after, messages: after }, watcher(this.model, filters));
    return events.map((event) => ({ ...event, id: '0', timestamp }));
  }

  async nextChange(timeoutMs: number, ended: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.waiting.delete(wake);
        ended.removeEventListener('abort', wake);
        // Changes of one operation come in a burst: they go into one batch.
        setImmediate(resolve);
      };
      const timer = setTimeout(wake, Math.min(timeoutMs, 2 ** 31 - 1));
      this.waiting.add(wake);
      ended.addEventListener('abort', wake);
    });
  }

  private sinceStart(token: Token): Token {
    return token.objects < this.startedAt ? { objects: 0, messages: 0 } : token;
  }

  private position(): Token {
    return { objects: this.store.generation, messages: this.lastMessage };
  }

  /** Messages first, then what is new, what is changed, what is gone; each by class in the data model's order, then by reference. */
  private since(token: Token, watched: (cls: ClassName, ref: string) => boolean): Told {
    const written = this.changed(Math.min(token.objects, token.messages)).filter(({ cls, entry }) => {
      const known = cls === 'message' ? token.messages : token.objects;
      return entry.modifiedAt > known && watched(cls, entry.ref);
    });
    const messages = written.filter(({ cls }) => cls === 'message');
    const others = written.filter(({ cls }) => cls !== 'message').sort(byClassAndRef);
    const isNew = ({ entry }: Written) => entry.createdAt > token.objects;
    const gone = this.deletions
      .slice(this.firstDeletionAfter(token.objects))
      .filter(({ cls, ref, createdAt }) => createdAt <= token.objects && watched(cls, ref));
    const events = [
      ...messages.map((item) => this.event(item, 'add', '0')),
      ...others.filter(isNew).map((item) => this.event(item, 'add', String(item.entry.createdAt))),
      ...others.filter((item) => !isNew(item)).map((item) => this.event(item, 'mod', String(item.entry.modifiedAt))),
      ...gone.map(({ cls, ref, deletedAt }): EventValue => {
        return { id: String(deletedAt), timestamp: '0.0', class: cls.toLowerCase(), operation: 'del', ref };
      }),
    ];
    const latest = (generations: readonly number[], before: number) =>
      generations.reduce((a, b) => Math.max(a, b), before);
    const seen = [...others.map(({ entry }) => entry.modifiedAt), ...gone.map(({ deletedAt }) => deletedAt)];
    const reached = {
      objects: latest(seen, token.objects),
      messages: latest(
        messages.map(({ entry }) => entry.modifiedAt),
        token.messages,
      ),
    };
    return { events, reached };
  }

  private event({ cls, entry }: Written, operation: 'add' | 'mod', id: string): EventValue {
    const snapshot = { cls, record: entry.record };
    return { id, timestamp: '0.0', class: cls.toLowerCase(), operation, ref: entry.ref, snapshot };
  }

  /** The objects written after a generation, in the order of their last write. */
  private changed(after: number): Written[] {
    const found: Written[] = [];
    for (const { cls, ref, generation } of this.log.slice(firstAfter(this.log, (item) => item.generation, after))) {
      if (this.store.find(cls, ref) === undefined) continue;
      const entry = this.store.entry(cls, ref);
      if (entry.modifiedAt === generation) found.push({ cls, entry });
    }
    return found;
  }

  private firstDeletionAfter(generation: number): number {
    return firstAfter(this.deletions, (item) => item.deletedAt, generation);
  }

  private compact(): void {
    this.log = this.log.filter(({ cls, ref, generation }) => {
      return this.store.find(cls, ref) !== undefined && this.store.entry(cls, ref).modifiedAt === generation;
    });
  }

  private batch(events: readonly EventValue[], token: Token): EventBatch {
    const names = [...this.model.classes.keys(), ...uncatalogued].sort().reverse();
    const counts = names.map((name) => {
      const isCounted = name !== 'role' && classes.has(name as ClassName);
      return [name.toLowerCase(), isCounted ? this.store.count(name as ClassName) : 0] as const;
    });
    this.told = Math.max(this.told, token.objects);
    return { events, validRefCounts: counts, token: tokenText(token) };
  }
}

/** Index of the first item of an ascending list that lies after the limit. */
function firstAfter<T>(items: readonly T[], key: (item: T) => number, limit: number): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = items[middle];
    if (item !== undefined && key(item) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
