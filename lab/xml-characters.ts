import type { Value } from './model/types.ts';
import { internalError } from './xapi-error.ts';

/** The control characters that XML 1.0 cannot hold, not even as character references. */
export const forbiddenInXml = /(?![\t\n\r\u007f-\u009f])\p{Cc}/u;

function fitsXml(value: Value | undefined): boolean {
  if (typeof value === 'string') return !forbiddenInXml.test(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, item]) => !forbiddenInXml.test(key) && fitsXml(item));
}

/** The fields as given: the genuine database is an XML document. Throws INTERNAL_ERROR for text that it cannot hold. */
export function storable<Fields extends Readonly<Record<string, Value | undefined>>>(fields: Fields): Fields {
  if (!fitsXml(fields as Value)) throw internalError('Db_exn.Invalid_value');
  return fields;
}
