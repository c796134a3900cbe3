import { classes } from '../model/model.ts';
import type { ClassModel, FieldModel, MessageModel } from '../model/model.ts';
import type { ClassName } from '../model/records.ts';
import type { RecordValue, Value } from '../model/types.ts';
import type { Store } from '../world/store.ts';
import { XapiError } from '../xapi-error.ts';
import { keptKey } from '../wire/ordered-keys.ts';
import type { Handler } from './call.ts';
import { matching } from './query.ts';
import { asText } from '../model/types.ts';

/** The genuine daemon lists objects by descending reference. */
const ordered = (store: Store, cls: ClassName): string[] => store.refs(cls).sort().reverse();

const recordsOf = (store: Store, cls: ClassName, refs: readonly string[]): RecordValue =>
  Object.fromEntries(refs.map((ref) => [ref, store.entry(cls, ref).record as Value]));

function byUuid(store: Store, cls: ClassName, uuid: string): string {
  const ref = store.byUuid(cls, uuid);
  if (ref === undefined) throw new XapiError('UUID_INVALID', cls, uuid);
  return ref;
}

/** The messages that every class has, by their names. */
function classWide(cls: ClassName, name: string): Handler | undefined {
  switch (name) {
    case 'get_all':
      return ({ world }) => ordered(world.store, cls);
    case 'get_all_records':
      return ({ world }) => recordsOf(world.store, cls, ordered(world.store, cls));
    case 'get_all_where':
      return ({ world }, query) => matching(world.store, cls, asText(query)).sort().reverse();
    case 'get_all_records_where':
      return ({ world }, query) =>
        recordsOf(world.store, cls, matching(world.store, cls, asText(query)).sort().reverse());
    case 'get_record':
      return ({ world }, ref) => world.store.entry(cls, asText(ref)).record;
    case 'get_by_uuid':
      return ({ world }, uuid) => byUuid(world.store, cls, asText(uuid));
    case 'get_by_name_label':
      return ({ world }, label) => world.store.byName(cls, asText(label));
    default:
      return undefined;
  }
}

const field = (store: Store, cls: ClassName, ref: string, name: string): Value =>
  store.entry(cls, ref).record[name] ?? '';

function write(store: Store, cls: ClassName, ref: string, name: string, value: Value): void {
  store.update(cls, ref, { [name]: value });
}

function addToMap(cls: ClassName, name: string): Handler {
  return ({ world: { store } }, self, key, value) => {
    const ref = asText(self);
    const map = field(store, cls, ref, name) as RecordValue;
    const kept = keptKey(asText(key));
    if (Object.hasOwn(map, kept)) throw new XapiError('MAP_DUPLICATE_KEY', cls, name, ref, asText(key));
    write(store, cls, ref, name, { [kept]: value ?? '', ...map });
  };
}

function removeFromMap(cls: ClassName, name: string): Handler {
  return ({ world: { store } }, self, key) => {
    const { [keptKey(asText(key))]: _removed, ...rest } = field(store, cls, asText(self), name) as RecordValue;
    write(store, cls, asText(self), name, rest);
  };
}

function addToSet(cls: ClassName, name: string): Handler {
  return ({ world: { store } }, self, value) => {
    const items = field(store, cls, asText(self), name) as readonly Value[];
    if (!items.includes(value ?? '')) write(store, cls, asText(self), name, [value ?? '', ...items]);
  };
}

function removeFromSet(cls: ClassName, name: string): Handler {
  return ({ world: { store } }, self, value) => {
    const items = field(store, cls, asText(self), name) as readonly Value[];
    write(
      store,
      cls,
      asText(self),
      name,
      items.filter((item) => item !== value),
    );
  };
}

function accessor(model: ClassModel, verb: string, item: FieldModel): Handler | undefined {
  const { name: cls } = model;
  const { name, type } = item;
  switch (verb) {
    case 'get':
      return ({ world }, self) => field(world.store, cls, asText(self), name);
    case 'set':
      return ({ world }, self, value) => write(world.store, cls, asText(self), name, value ?? '');
    case 'add_to':
      return type.kind === 'map' ? addToMap(cls, name) : undefined;
    case 'remove_from':
      return type.kind === 'map' ? removeFromMap(cls, name) : undefined;
    case 'add':
      return type.kind === 'set' ? addToSet(cls, name) : undefined;
    case 'remove':
      return type.kind === 'set' ? removeFromSet(cls, name) : undefined;
    default:
      return undefined;
  }
}

/** Making an object of nothing but the given record, and ending it. */
function lifetime({ cls, name }: MessageModel): Handler | undefined {
  if (name === 'create') return ({ world }, record) => world.store.create(cls, record as object);
  if (name === 'destroy') return ({ world }, ref) => world.store.destroy(cls, asText(ref));
  return undefined;
}

const accessorPattern = /^(get|set|add_to|remove_from|add|remove)_(.+)$/;

/**
 * What the data model itself says a message does: the class-wide reads, creation and end of an object, reading or writing one
 * field. It holds for the
 * explicit messages of that shape too (`VM.set_platform`), unless a behaviour takes their place.
 */
export function implicitHandler(message: MessageModel): Handler | undefined {
  const wide = classWide(message.cls, message.name) ?? (message.implicit ? lifetime(message) : undefined);
  if (wide !== undefined) return wide;
  const model = classes.get(message.cls);
  const [, verb = '', name = ''] = accessorPattern.exec(message.name) ?? [];
  const item = model?.field.get(name);
  const plain = message.params[0]?.type.kind === 'ref' && message.params.length <= 3;
  return model === undefined || item === undefined || !plain ? undefined : accessor(model, verb, item);
}
