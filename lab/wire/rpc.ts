import { toldKey } from './ordered-keys.ts';

/**
 * A value as a request carries it, before the data model says what it ought to be. Integers are numbers, or bigints where a
 * number would round them.
 */
export type Rpc = string | number | bigint | boolean | null | Float | DateTime | Base64 | readonly Rpc[] | RpcStruct;
export interface RpcStruct {
  readonly [name: string]: Rpc;
}

export class Float {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

export class DateTime {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Decoded. No parameter of the API is one: it is told in an error like a text. */
export class Base64 {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** A request body that is no call at all: answered with the HTTP 500 page, which shows this text as the daemon's exception. */
export class MalformedBody extends Error {}

const [int64Min, int64Max] = [-(2n ** 63n), 2n ** 63n - 1n];

const intPattern = /^([+-]?)(0[xX][\da-fA-F]+|0[oO][0-7]+|0[bB][01]+|\d+)$/;

/**
 * The integer that the text names as OCaml reads it, a bigint where a number would round it; undefined for other texts and what
 * 64 bits cannot hold.
 */
export function int64Of(text: string): number | bigint | undefined {
  const [, sign, digits] = intPattern.exec(/^[+-]?\d/.test(text) ? text.replaceAll('_', '') : text) ?? [];
  if (digits === undefined) return undefined;
  const isDecimal = /^\d+$/.test(digits);
  const size = isDecimal ? BigInt(digits) : BigInt.asIntN(64, BigInt(digits));
  const exact = sign === '-' ? -size : size;
  if (exact < int64Min || exact > int64Max) return undefined;
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
}

/** Undefined for a text that is no number. */
export function floatOf(text: string): number | undefined {
  const parsed = Number(text);
  return text === '' || /\s/.test(text) || Number.isNaN(parsed) ? undefined : parsed;
}

/** As the genuine daemon prints a value inside of an error: `S(text)`, `I(5)`, `[S(a);S(b)]`, `{name:N}`. */
export function describe(value: Rpc): string {
  if (value === null) return 'N';
  if (typeof value === 'string') return `S(${value})`;
  if (typeof value === 'number' || typeof value === 'bigint') return `I(${value})`;
  if (typeof value === 'boolean') return `B(${value})`;
  if (value instanceof Float) return `F(${sixDigits(value.value)})`;
  if (value instanceof DateTime) return `D(${value.text})`;
  if (value instanceof Base64) return `S(${value.text})`;
  if (isList(value)) return `[${value.map(describe).join(';')}]`;
  return `{${Object.entries(value)
    .map(([name, item]) => `${toldKey(name)}:${describe(item)}`)
    .join(';')}}`;
}

/** As C's `%g` prints it. */
function sixDigits(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : String(value).replace('Infinity', 'inf');
  const rounded = Number(value.toPrecision(6));
  const size = Math.abs(rounded);
  if (size === 0 || (size >= 1e-4 && size < 1e6)) return String(rounded);
  return rounded.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}

export function isList(value: Rpc): value is readonly Rpc[] {
  return Array.isArray(value);
}

export function isStruct(value: Rpc): value is RpcStruct {
  const isObject = typeof value === 'object' && value !== null && !isList(value);
  return isObject && !(value instanceof Float || value instanceof DateTime || value instanceof Base64);
}
