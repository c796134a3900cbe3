import type { ClassName } from '../model/records.ts';
import type { RecordValue } from '../model/types.ts';
import type { Store } from './store.ts';

/** What follows from the written fields of an object, computed at every write. */
export interface Derivation {
  derive(record: RecordValue, store: Store): RecordValue;
  /** Objects of other classes whose derived fields look at this one. */
  dependents?(record: RecordValue): readonly (readonly [ClassName, string])[];
}

export type Derivations = Readonly<Partial<Record<ClassName, Derivation>>>;
