import { z } from 'zod';
import { table } from './markdown.ts';

/** The parts of JSON Schema that the inputs of operations use. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly example?: unknown;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly format?: string;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

/** What a client may send, one row per field; fields of list entries as `disks[].sizeGiB`. */
export function inputTable(input: z.ZodObject, secretFields: readonly string[]): string {
  const rows = fieldRows('', schemaOf(input)).map(({ name, schema, required }) => [
    `\`${name}\``,
    typeOf(schema),
    required ? 'yes' : schema.default === undefined ? 'no' : `no: \`${JSON.stringify(schema.default)}\``,
    limitsOf(schema),
    [schema.description ?? '', secretFields.includes(name) ? '**Secret.**' : '']
      .filter((text) => text !== '')
      .join(' '),
  ]);
  return table(['Field', 'Type', 'Required, else default', 'Limits', 'Meaning'], rows);
}

/** The smallest request body that the examples of the required fields make. */
export function exampleInput(input: z.ZodObject): Record<string, unknown> {
  const { properties = {}, required = [] } = schemaOf(input);
  return Object.fromEntries(required.map((name) => [name, properties[name]?.example ?? '…']));
}

function schemaOf(input: z.ZodObject): Schema {
  const { $ref, $defs, ...whole } = z.toJSONSchema(input, { io: 'input' }) as Schema & Definitions;
  const named = $ref === undefined ? undefined : $defs?.[$ref.replace('#/$defs/', '')];
  return named ?? whole;
}

/** Where zod puts a schema that has an id. */
interface Definitions {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

interface Field {
  readonly name: string;
  readonly schema: Schema;
  readonly required: boolean;
}

function fieldRows(prefix: string, { properties = {}, required = [] }: Schema): Field[] {
  return Object.entries(properties).flatMap(([key, schema]) => {
    const name = `${prefix}${key}`;
    const inner = schema.items?.properties === undefined ? [] : fieldRows(`${name}[].`, schema.items);
    return [{ name, schema, required: required.includes(key) }, ...inner];
  });
}

function typeOf({ type, items, format }: Schema): string {
  if (type === 'array') return `list of ${items === undefined ? 'anything' : typeOf(items)}`;
  return format === 'uuid' ? format : (type ?? 'anything');
}

function limitsOf(schema: Schema): string {
  const own = [
    span(schema.minimum, schema.maximum, ''),
    span(schema.minLength, schema.maxLength, ' characters'),
    span(schema.minItems, schema.maxItems, ' entries'),
    schema.enum === undefined ? '' : schema.enum.map((value) => `\`${String(value)}\``).join(', '),
    schema.pattern === undefined || schema.format === 'uuid' ? '' : `\`${schema.pattern.replaceAll('|', '\\|')}\``,
  ];
  const entry = schema.items === undefined || schema.items.properties !== undefined ? '' : limitsOf(schema.items);
  return [...own, entry === '' ? '' : `each: ${entry}`].filter((text) => text !== '').join('; ');
}

function span(min: number | undefined, max: number | undefined, unit: string): string {
  if (min !== undefined && max !== undefined) return `${min} to ${max}${unit}`;
  if (min !== undefined) return `at least ${min}${unit}`;
  return max === undefined ? '' : `at most ${max}${unit}`;
}
