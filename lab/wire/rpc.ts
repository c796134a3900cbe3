/** A value as a request carries it, before the data model says what it ought to be. Plain numbers are integers. */
export type Rpc = string | number | boolean | null | Float | DateTime | readonly Rpc[] | RpcStruct;
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

/** A request body that is no call at all: answered with the HTTP 500 page, which shows this text as the daemon's exception. */
export class MalformedBody extends Error {}

const [int64Min, int64Max] = [-(2n ** 63n), 2n ** 63n - 1n];

/** The integer that the decimal text names; undefined for other texts and what 64 bits cannot hold. */
export function int64Of(text: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const exact = BigInt(text.replace('+', ''));
  return exact < int64Min || exact > int64Max ? undefined : Number(exact);
}

/** Undefined for a text that is no number. */
export function floatOf(text: string): number | undefined {
  const parsed = Number(text);
  return text.trim() === '' || Number.isNaN(parsed) ? undefined : parsed;
}

/** As the genuine daemon prints a value inside of an error: `S(text)`, `I(5)`, `[S(a);S(b)]`, `{name:N}`. */
export function describe(value: Rpc): string {
  if (value === null) return 'N';
  if (typeof value === 'string') return `S(${value})`;
  if (typeof value === 'number') return `I(${value})`;
  if (typeof value === 'boolean') return `B(${value})`;
  if (value instanceof Float) return `F(${value.value})`;
  if (value instanceof DateTime) return `D(${value.text})`;
  if (isList(value)) return `[${value.map(describe).join(';')}]`;
  return `{${Object.entries(value)
    .map(([name, item]) => `${name}:${describe(item)}`)
    .join(';')}}`;
}

export function isList(value: Rpc): value is readonly Rpc[] {
  return Array.isArray(value);
}

export function isStruct(value: Rpc): value is RpcStruct {
  const isObject = typeof value === 'object' && value !== null && !isList(value);
  return isObject && !(value instanceof Float) && !(value instanceof DateTime);
}
