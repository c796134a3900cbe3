import { classModel } from '../model/model.ts';
import type { ClassName } from '../model/records.ts';
import type { RecordValue, Value, XenType } from '../model/types.ts';
import { nullRef } from './identities.ts';
import { isLinkSet } from './links.ts';
import type { Store } from './store.ts';

export type ObjectName = readonly [cls: ClassName, ref: string];

type References = ReadonlyMap<string, string>;

const holdsRefs = (type: XenType): boolean =>
  type.kind === 'ref' ||
  (type.kind === 'set' && holdsRefs(type.of)) ||
  (type.kind === 'map' && (holdsRefs(type.key) || holdsRefs(type.value)));

/** A reference to what is not known over there is none. */
function translated(type: XenType, value: Value, refs: References): Value {
  if (!holdsRefs(type)) return value;
  if (type.kind === 'ref') return refs.get(value as string) ?? nullRef;
  if (type.kind === 'set')
    return (value as readonly Value[]).map((item) => translated(type.of, item, refs)).filter((ref) => ref !== nullRef);
  if (type.kind !== 'map') return value;
  const entries = Object.entries(value as RecordValue).map(([key, item]) => [
    translated(type.key, key, refs) as string,
    translated(type.value, item, refs),
  ]);
  return Object.fromEntries(entries.filter(([key, item]) => key !== nullRef && item !== nullRef)) as Value;
}

function translatedRecord(cls: ClassName, record: RecordValue, refs: References): RecordValue {
  const fields = classModel(cls).fields.filter(({ name }) => !isLinkSet(cls, name));
  return Object.fromEntries(fields.map(({ name, type }) => [name, translated(type, record[name] ?? '', refs)]));
}

/**
 * Brings objects of one pool into another: their uuids stay, their references become new ones, and so do those in their
 * fields. `known` has the references over there of what is not brought along, `changed` what is different over there (an empty
 * uuid: a new one). Gives all references, old to new.
 */
export function copyObjects(
  from: Store,
  to: Store,
  objects: readonly ObjectName[],
  known: References,
  newRef: () => string,
  changed: (cls: ClassName, ref: string) => RecordValue = () => ({}),
): References {
  const refs = new Map(known);
  for (const [, ref] of objects) refs.set(ref, newRef());
  for (const [cls, ref] of objects)
    to.create(
      cls,
      { ...translatedRecord(cls, from.entry(cls, ref).record, refs), ...changed(cls, ref) },
      refs.get(ref),
    );
  // Whatever was made before what it points to is not in the sets over there yet.
  for (const cls of new Set(objects.map(([name]) => name))) to.relinkAll(cls);
  return refs;
}
