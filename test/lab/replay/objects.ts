import { derivations } from '../../../lab/behaviour/allowed-operations.ts';
import { classModel } from '../../../lab/model/model.ts';
import type { ClassName } from '../../../lab/model/records.ts';
import type { RecordValue, Value } from '../../../lab/model/types.ts';
import { Identities } from '../../../lab/world/identities.ts';
import { Store } from '../../../lab/world/store.ts';
import type { SeenObject } from './seed.ts';

/** What the uuid of an object begins with whose own nobody saw. */
export const unseenUuid = 'fffffff0';

let counter = 0;
const nextUuid = () => `${unseenUuid}-0000-4000-8000-${String(++counter).padStart(12, '0')}`;

const vmOperations = (record: RecordValue): RecordValue =>
  derivations.VM?.derive(record, new Store(new Identities('1'), {})) ?? {};

/** An object that is known to be there although no answer shows it. */
export function unseen(cls: ClassName, ref: string, fields: RecordValue = {}): SeenObject {
  const initial = classModel(cls).fields.map((field): [string, Value] => [field.name, field.initial]);
  const record = { ...Object.fromEntries(initial), uuid: nextUuid(), ...fields };
  return { cls, ref, record: cls === 'VM' ? { ...record, ...vmOperations(record) } : record };
}

export const filler = (cls: ClassName, fields: RecordValue = {}) => unseen(cls, `OpaqueRef:${nextUuid()}`, fields);
