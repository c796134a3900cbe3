/** A type of the data model, parsed: `VM ref set` → `{ kind: 'set', of: { kind: 'ref', cls: 'VM' } }`. */
export type XenType =
  | { readonly kind: 'void' | 'string' | 'int' | 'float' | 'bool' | 'datetime' | 'batch' }
  | { readonly kind: 'enum'; readonly name: string }
  | { readonly kind: 'ref' | 'record'; readonly cls: string }
  | { readonly kind: 'set' | 'option'; readonly of: XenType }
  | { readonly kind: 'map'; readonly key: XenType; readonly value: XenType };

/** An integer of 64 bits as the world holds it: as text where a number would round it. No behaviour counts with those. */
export type Integer = number | string;

/** A value as the world holds it: references and dates are strings, floats are numbers, maps and records are objects. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };
/** The text of a scalar; empty for what is absent or has no text. */
export function asText(value: Value | undefined): string {
  return typeof value === 'object' || value === undefined ? '' : String(value);
}

export type RecordValue = Readonly<Record<string, Value>>;

const scalars = ['void', 'string', 'int', 'float', 'bool', 'datetime'] as const;

/** Splits `A -> B` at the arrow outside of parentheses: maps can hold maps. */
function splitMap(inner: string): [string, string] {
  let depth = 0;
  for (let at = 0; at < inner.length; at++) {
    if (inner[at] === '(') depth++;
    if (inner[at] === ')') depth--;
    if (depth === 0 && inner.startsWith(' -> ', at)) return [inner.slice(0, at), inner.slice(at + 4)];
  }
  throw new Error(`the data model holds a map type that cannot be read: (${inner}) map`);
}

/** Throws when the text is no type of the data model. */
export function parseType(text: string): XenType {
  const scalar = scalars.find((name) => name === text);
  if (scalar !== undefined) return { kind: scalar };
  if (text === 'an event batch') return { kind: 'batch' };
  if (text.startsWith('(') && text.endsWith(') map')) {
    const [key, value] = splitMap(text.slice(1, -') map'.length));
    return { kind: 'map', key: parseType(key), value: parseType(value) };
  }
  if (text.endsWith(' set')) return { kind: 'set', of: parseType(text.slice(0, -' set'.length)) };
  if (text.endsWith(' option')) return { kind: 'option', of: parseType(text.slice(0, -' option'.length)) };
  if (text.endsWith(' ref')) return { kind: 'ref', cls: text.slice(0, -' ref'.length) };
  if (text.endsWith(' record')) return { kind: 'record', cls: text.slice(0, -' record'.length) };
  if (text.startsWith('enum ')) return { kind: 'enum', name: text.slice('enum '.length) };
  throw new Error(`the data model holds a type that cannot be read: ${text}`);
}

/** What a field holds when nothing set it. Enums have no neutral value: their first one is taken. */
export function zeroValue(type: XenType, enums: ReadonlyMap<string, readonly string[]>): Value {
  switch (type.kind) {
    case 'int':
    case 'float':
      return 0;
    case 'bool':
      return false;
    case 'datetime':
      return '19700101T00:00:00Z';
    case 'enum':
      return enums.get(type.name)?.[0] ?? '';
    case 'ref':
      return 'OpaqueRef:NULL';
    case 'set':
      return [];
    case 'map':
    case 'record':
      return {};
    case 'option':
      return null;
    default:
      return '';
  }
}
