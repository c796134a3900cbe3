import { closeSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ClassName } from './model/records.ts';
import type { RecordValue } from './model/types.ts';
import { isLinkSet } from './world/links.ts';
import type { Change } from './world/store.ts';
import type { World, WorldFact } from './world/world.ts';

const stateVersion = 1;

/** What a restart of the genuine daemon loses as well. */
export const isKept = (cls: ClassName): boolean => cls !== 'session' && cls !== 'task';

export interface SavedPool {
  readonly id: string;
  /** The id of the scenario's pool that it was made as, or that its host came from. */
  readonly origin: string;
  readonly addresses: readonly string[];
  readonly port: number;
  /** Where the counting of changes goes on, so that an event token of before says nothing of the restored objects. */
  readonly generation: number;
  readonly objects: readonly (readonly [ClassName, string, RecordValue])[];
  readonly facts: readonly WorldFact[];
}

/** One change after the whole was written: an object's new fields (null: it is gone), or a fact. */
export type JournalLine = { readonly pool: string } & (
  | { readonly cls: ClassName; readonly ref: string; readonly generation: number; readonly fields: RecordValue | null }
  | { readonly fact: WorldFact }
);

interface Whole {
  readonly version: number;
  /** Which journal goes on from here. */
  readonly epoch: number;
  readonly pools: readonly SavedPool[];
}

export interface SavedState {
  readonly epoch: number;
  readonly pools: readonly SavedPool[];
  readonly journal: readonly JournalLine[];
}

const journalPath = (path: string, epoch: number): string => `${path}.${epoch}.journal`;

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The last line may be torn when the process was killed while it wrote: it was never answered for. */
function parseJournal(text: string): JournalLine[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as JournalLine);
}

/** Undefined when there is no such file yet. Rejects when it is no state of this version. */
export async function readState(path: string): Promise<SavedState | undefined> {
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  const { version, epoch, pools } = JSON.parse(text) as Whole;
  if (version !== stateVersion) {
    throw new Error(`${path} is no lab state of version ${stateVersion}; move it away to start with a new world`);
  }
  return { epoch, pools, journal: parseJournal((await readIfThere(journalPath(path, epoch))) ?? '') };
}

/** Sets that follow from references are left out: they are long, and every new member would write all of them again. */
function journalLine(
  pool: string,
  { cls, ref, generation, operation, record, fields }: Change,
): JournalLine | undefined {
  if (operation === 'del') return { pool, cls, ref, generation, fields: null };
  const names = operation === 'add' ? Object.keys(record) : fields;
  const kept = names.filter((name) => !isLinkSet(cls, name));
  if (kept.length === 0) return undefined;
  return { pool, cls, ref, generation, fields: Object.fromEntries(kept.map((name) => [name, record[name] ?? ''])) };
}

/**
 * The world on disk: a whole, written beside its file and renamed, and a journal of what changed since. A line is in the
 * journal before the call that made the change is answered, so a killed lab knows everything that it ever answered for.
 */
export class StateFile {
  private readonly path: string;
  private epoch: number;
  private journal: number | undefined;

  /** `epoch` is the one that was read. Nothing is kept before the first whole. */
  constructor(path: string, epoch: number) {
    this.path = path;
    this.epoch = epoch;
  }

  /** The whole of this moment; what changes from here on goes into a new journal. The one before is removed. */
  write(pools: readonly SavedPool[]): void {
    this.close();
    this.epoch += 1;
    const whole: Whole = { version: stateVersion, epoch: this.epoch, pools };
    writeFileSync(`${this.path}.tmp`, JSON.stringify(whole), { mode: 0o600 });
    renameSync(`${this.path}.tmp`, this.path);
    this.journal = openSync(journalPath(this.path, this.epoch), 'w', 0o600);
    rmSync(journalPath(this.path, this.epoch - 1), { force: true });
  }

  watch(world: World): void {
    world.store.onChange((change) => {
      const line = isKept(change.cls) ? journalLine(world.id, change) : undefined;
      if (line !== undefined) this.append(line);
    });
    world.onFact((fact) => this.append({ pool: world.id, fact }));
  }

  /** What changes from now on is not kept. */
  close(): void {
    if (this.journal !== undefined) closeSync(this.journal);
    this.journal = undefined;
  }

  private append(line: JournalLine): void {
    if (this.journal !== undefined) writeSync(this.journal, `${JSON.stringify(line)}\n`);
  }
}
