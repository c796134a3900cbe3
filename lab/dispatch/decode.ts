import type { ApiModel } from '../model/model.ts';
import { enums } from '../model/model.ts';
import type { ClassName } from '../model/records.ts';
import type { Integer, XenType, Value } from '../model/types.ts';
import { keptKey, toldKey } from '../wire/ordered-keys.ts';
import type { Rpc } from '../wire/rpc.ts';
import { DateTime, Float, describe, floatOf, int64Of, isList, isStruct } from '../wire/rpc.ts';
import { internalError, ocamlFailure } from '../xapi-error.ts';
import { asText } from '../model/types.ts';

const expected = (what: string, got: Rpc) => ocamlFailure(`Expected ${what}, got '${describe(got)}'`);

function decodeInt(value: Rpc): Integer {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'string') throw expected('int64', value);
  const parsed = int64Of(value);
  if (parsed === undefined) throw ocamlFailure('Int64.of_string');
  return decodeInt(parsed);
}

function decodeFloat(value: Rpc): number {
  if (value instanceof Float) return value.value;
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value);
  if (typeof value !== 'string') throw expected('float', value);
  const parsed = floatOf(value);
  if (parsed === undefined) throw ocamlFailure('float_of_string');
  return parsed;
}

function decodeEnum(name: string, value: Rpc): string {
  if (typeof value !== 'string') throw expected('string', value);
  const known = enums.get(name)?.find((item) => item === value || item.toLowerCase() === value.toLowerCase());
  if (known === undefined) throw ocamlFailure('Unknown tag/contents');
  return known;
}

/** A record given to a constructor: unknown fields are ignored, the daemon's own fields too, missing ones are named. */
function decodeRecord(model: ApiModel, cls: string, value: Rpc): Value {
  if (!isStruct(value)) throw ocamlFailure('bad __structure');
  const known = model.classes.get(cls as ClassName);
  if (known === undefined) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, describe(item)]));
  const result: Record<string, Value> = {};
  for (const field of known.fields) {
    if (field.qualifier === 'RO/runtime') continue;
    const given = value[field.name];
    if (given !== undefined) result[field.name] = decode(model, field.type, given);
    else if (field.optional) result[field.name] = field.initial;
    else throw internalError(`Server_helpers.Dispatcher_FieldNotFound("${field.name}")`);
  }
  return result;
}

/** Turns what the request carries into a value of the world; throws the official error of the first thing that does not fit. */
export function decode(model: ApiModel, type: XenType, value: Rpc): Value {
  switch (type.kind) {
    case 'int':
      return decodeInt(value);
    case 'float':
      return decodeFloat(value);
    case 'bool':
      if (typeof value !== 'boolean') throw expected('bool', value);
      return value;
    case 'enum':
      return decodeEnum(type.name, value);
    case 'datetime':
      if (value instanceof DateTime) return value.text;
      if (typeof value !== 'string') throw expected('datetime', value);
      return value;
    case 'set':
      if (!isList(value)) throw ocamlFailure(`Expecting Rpc.Enum, but found '${describe(value)}'`);
      return value.map((item) => decode(model, type.of, item));
    case 'map':
      if (!isStruct(value)) throw ocamlFailure(`Expecting Rpc.Dict, but found '${describe(value)}'`);
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [
          keptKey(asText(decode(model, type.key, toldKey(key)))),
          decode(model, type.value, item),
        ]),
      );
    case 'record':
      return decodeRecord(model, type.cls, value);
    case 'option':
      return value === null ? null : decode(model, type.of, value);
    default:
      if (typeof value !== 'string') throw expected('string', value);
      return value;
  }
}
