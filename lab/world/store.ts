import { isDeepStrictEqual } from 'node:util';
import { handleInvalid } from '../xapi-error.ts';
import { storable } from '../xml-characters.ts';
import { classModel, classes } from '../model/model.ts';
import type { ClassName, Records } from '../model/records.ts';
import type { RecordValue, Value } from '../model/types.ts';
import type { Derivations } from './derivations.ts';
import type { Identities } from './identities.ts';
import { links, targetsOf } from './links.ts';
import { asText } from '../model/types.ts';

export interface Change {
  readonly cls: ClassName;
  readonly ref: string;
  readonly operation: 'add' | 'mod' | 'del';
  readonly generation: number;
  readonly record: RecordValue;
  /** The fields written with a new value; empty for add and del. */
  readonly fields: readonly string[];
}

/** With the store's generations at which it was made and last written. */
export interface Entry {
  readonly ref: string;
  record: RecordValue;
  readonly createdAt: number;
  modifiedAt: number;
}

interface Table {
  /** A new object before anything is known of it. */
  readonly blank: RecordValue;
  readonly byRef: Map<string, Entry>;
  readonly byUuid: Map<string, string>;
  readonly byName: Map<string, Set<string>>;
}

function newTable(cls: ClassName): Table {
  const blank = Object.fromEntries(classModel(cls).fields.map(({ name, initial }) => [name, initial]));
  // V8 keeps what JSON.parse makes, and every copy of it, in less room than an object made field by field.
  const compact = JSON.parse(JSON.stringify(blank)) as RecordValue;
  return { blank: compact, byRef: new Map(), byUuid: new Map(), byName: new Map() };
}

const copyOf = (record: RecordValue): Record<string, Value> => ({ ...record });

const isSame = (one: Value | undefined, other: Value | undefined): boolean =>
  one === other || (typeof one === 'object' && isDeepStrictEqual(one, other));

/**
 * Every object of the data centre. Records are replaced, never changed in place, and only here: each write keeps the sets on
 * the other side of a reference, computes what follows from the written fields, counts one generation and is reported.
 */
export class Store {
  generation = 0;
  private readonly identities: Identities;
  private readonly derivations: Derivations;
  private readonly tables: ReadonlyMap<ClassName, Table>;
  private readonly listeners: ((change: Change) => void)[] = [];

  constructor(identities: Identities, derivations: Derivations) {
    this.identities = identities;
    this.derivations = derivations;
    this.tables = new Map([...classes.keys()].map((cls) => [cls, newTable(cls)]));
  }

  onChange(listener: (change: Change) => void): void {
    this.listeners.push(listener);
  }

  /** Fields left out take their initial value, `uuid` a new one. Throws INTERNAL_ERROR for text that XML cannot have. */
  create<C extends ClassName>(cls: C, fields: Partial<Records[C]>, ref: string = this.identities.ref()): string {
    const table = this.table(cls);
    const full = copyOf(table.blank);
    for (const [name, value] of Object.entries(storable(fields as Readonly<Record<string, Value | undefined>>))) {
      if (value !== undefined && name in full) full[name] = value;
    }
    if (full['uuid'] === '') full['uuid'] = this.identities.uuid();
    Object.assign(full, this.derivations[cls]?.derive(full, this));
    this.generation += 1;
    const entry = { ref, record: full, createdAt: this.generation, modifiedAt: this.generation };
    table.byRef.set(ref, entry);
    table.byUuid.set(asText(full['uuid']), ref);
    this.indexName(table, ref, undefined, full['name_label']);
    this.report({ cls, ref, operation: 'add', generation: this.generation, record: full, fields: [] });
    this.relink(cls, ref, undefined, full);
    this.touchDependents(cls, full);
    return ref;
  }

  /** Takes over an object as it was saved, or its end (`undefined`): nothing is linked or derived again. */
  restore(cls: ClassName, ref: string, record: RecordValue | undefined): void {
    const table = this.table(cls);
    const before = table.byRef.get(ref)?.record;
    this.generation += 1;
    const change = { cls, ref, generation: this.generation, record: record ?? before ?? {}, fields: [] };
    table.byUuid.delete(asText(before?.['uuid']));
    this.indexName(table, ref, before?.['name_label'], record?.['name_label']);
    if (record === undefined) {
      table.byRef.delete(ref);
    } else {
      table.byRef.set(ref, { ref, record, createdAt: this.generation, modifiedAt: this.generation });
      table.byUuid.set(asText(record['uuid']), ref);
    }
    this.report({ ...change, operation: record === undefined ? 'del' : 'add' });
  }

  /** Makes the sets that name objects of the class anew from the references in them, the newest object first. */
  relinkAll(from: ClassName): void {
    for (const link of links.filter((candidate) => candidate.from === from)) {
      const members = new Map<string, string[]>();
      for (const { ref, record } of this.entries(from))
        for (const target of targetsOf(record[link.field])) members.set(target, [ref, ...(members.get(target) ?? [])]);
      for (const entry of this.entries(link.to))
        this.write(link.to, entry, { [link.set]: members.get(entry.ref) ?? [] });
    }
  }

  /** Writing what is already there is no change and no event. Throws HANDLE_INVALID; INTERNAL_ERROR for text that XML cannot have. */
  update<C extends ClassName>(cls: C, ref: string, patch: Partial<Records[C]>): void {
    this.write(cls, this.entry(cls, ref), storable(patch as RecordValue));
  }

  /** Throws HANDLE_INVALID. */
  destroy(cls: ClassName, ref: string): void {
    const { record } = this.entry(cls, ref);
    const table = this.table(cls);
    table.byRef.delete(ref);
    table.byUuid.delete(asText(record['uuid']));
    this.indexName(table, ref, record['name_label'], undefined);
    this.generation += 1;
    this.report({ cls, ref, operation: 'del', generation: this.generation, record, fields: [] });
    this.relink(cls, ref, record, undefined);
    this.touchDependents(cls, record);
  }

  /** Reports the object as modified without changing it, which is what event.inject does. Throws HANDLE_INVALID. */
  touch(cls: ClassName, ref: string): void {
    const entry = this.entry(cls, ref);
    this.generation += 1;
    entry.modifiedAt = this.generation;
    this.report({ cls, ref, operation: 'mod', generation: this.generation, record: entry.record, fields: [] });
  }

  find<C extends ClassName>(cls: C, ref: string): Records[C] | undefined {
    return this.table(cls).byRef.get(ref)?.record as Records[C] | undefined;
  }

  /** Throws HANDLE_INVALID. */
  get<C extends ClassName>(cls: C, ref: string): Records[C] {
    return this.entry(cls, ref).record as unknown as Records[C];
  }

  /** Throws HANDLE_INVALID. */
  entry(cls: ClassName, ref: string): Entry {
    const entry = this.table(cls).byRef.get(ref);
    if (entry === undefined) throw handleInvalid(cls, ref);
    return entry;
  }

  entries(cls: ClassName): IterableIterator<Entry> {
    return this.table(cls).byRef.values();
  }

  records<C extends ClassName>(cls: C): [string, Records[C]][] {
    return [...this.entries(cls)].map(({ ref, record }) => [ref, record as unknown as Records[C]]);
  }

  refs(cls: ClassName): string[] {
    return [...this.table(cls).byRef.keys()];
  }

  count(cls: ClassName): number {
    return this.table(cls).byRef.size;
  }

  byUuid(cls: ClassName, uuid: string): string | undefined {
    return this.table(cls).byUuid.get(uuid);
  }

  byName(cls: ClassName, name: string): string[] {
    return [...(this.table(cls).byName.get(name) ?? [])];
  }

  private table(cls: ClassName): Table {
    const table = this.tables.get(cls);
    if (table === undefined) throw new Error(`no class ${cls} in the data model`);
    return table;
  }

  private write(cls: ClassName, entry: Entry, patch: RecordValue): void {
    const before = entry.record;
    const after = Object.assign(copyOf(before), patch);
    const derived = this.derivations[cls]?.derive(after, this);
    const written = derived === undefined ? patch : { ...patch, ...derived };
    Object.assign(after, derived);
    const fields = Object.keys(written).filter((name) => !isSame(after[name], before[name]));
    if (fields.length === 0) return;
    entry.record = after;
    this.generation += 1;
    entry.modifiedAt = this.generation;
    this.indexName(this.table(cls), entry.ref, before['name_label'], after['name_label']);
    this.report({ cls, ref: entry.ref, operation: 'mod', generation: this.generation, record: after, fields });
    this.relink(cls, entry.ref, before, after);
    this.touchDependents(cls, after);
  }

  /** Objects whose derived fields look at this one (a disk's allowed operations follow from its attachments). */
  private touchDependents(cls: ClassName, record: RecordValue): void {
    for (const [otherCls, ref] of this.derivations[cls]?.dependents?.(record) ?? []) {
      const entry = this.table(otherCls).byRef.get(ref);
      if (entry !== undefined) this.write(otherCls, entry, {});
    }
  }

  private relink(cls: ClassName, ref: string, before: RecordValue | undefined, after: RecordValue | undefined): void {
    for (const link of links) {
      if (link.from !== cls) continue;
      if (before?.[link.field] === after?.[link.field]) continue;
      const [old, now] = [targetsOf(before?.[link.field]), targetsOf(after?.[link.field])];
      for (const target of old.filter((one) => !now.includes(one)))
        this.editSet(link.to, target, link.set, (items) => items.filter((item) => item !== ref));
      for (const target of now.filter((one) => !old.includes(one)))
        this.editSet(link.to, target, link.set, (items) => [ref, ...items]);
    }
  }

  private editSet(
    cls: ClassName,
    ref: string,
    field: string,
    edit: (items: readonly Value[]) => readonly Value[],
  ): void {
    const entry = this.table(cls).byRef.get(ref);
    if (entry !== undefined) this.write(cls, entry, { [field]: edit((entry.record[field] ?? []) as readonly Value[]) });
  }

  private indexName(table: Table, ref: string, before: Value | undefined, after: Value | undefined): void {
    if (before === after) return;
    if (typeof before === 'string') table.byName.get(before)?.delete(ref);
    if (typeof after !== 'string') return;
    const named = table.byName.get(after) ?? new Set();
    table.byName.set(after, named.add(ref));
  }

  private report(change: Change): void {
    for (const listener of this.listeners) listener(change);
  }
}
