/** One thing that reached the lab, as its log has it. */
export interface LabCall {
  /** As sent: `Async.VM.clone`, `PUT /import_raw_vdi`, `ssh.connect`. */
  readonly method: string;
  readonly mutating: boolean;
  readonly outcome: string;
}

export interface AddedObject {
  readonly pool: string;
  readonly cls: string;
  readonly ref: string;
  readonly uuid: string;
  readonly name: string;
  readonly record: Readonly<Record<string, unknown>>;
}

interface Change extends Omit<AddedObject, 'record'> {
  readonly change: 'added' | 'removed' | 'changed';
}

type RecordsByPool = Readonly<Record<string, Readonly<Record<string, AddedObject['record']>>>>;

/** The lab's own port: what reached it and what there is. */
export class LabControl {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async snapshot(): Promise<string> {
    return (await this.#ask<{ id: string }>('POST', '/snapshots')).id;
  }

  async calls(): Promise<LabCall[]> {
    return this.#ask<LabCall[]>('GET', '/calls');
  }

  /** Every object that was not there at the snapshot, with its record as it is now. */
  async addedSince(snapshot: string): Promise<AddedObject[]> {
    const changes = await this.#ask<Change[]>('GET', `/snapshots/${snapshot}/diff`);
    const added = changes.filter(({ change }) => change === 'added');
    const classes = [...new Set(added.map(({ cls }) => cls))];
    const worlds = new Map(
      await Promise.all(
        classes.map(async (cls) => [cls, await this.#ask<RecordsByPool>('GET', `/world/${cls}`)] as const),
      ),
    );
    return added.map(({ pool, cls, ref, uuid, name }) => {
      return { pool, cls, ref, uuid, name, record: worlds.get(cls)?.[pool]?.[ref] ?? {} };
    });
  }

  async #ask<T>(method: string, path: string): Promise<T> {
    const response = await fetch(`${this.#url}${path}`, { method });
    if (!response.ok) throw new Error(`the lab answered ${method} ${path} with ${response.status}`);
    return (await response.json()) as T;
  }
}
