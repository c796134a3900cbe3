import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import type { Operation } from '../domain/operations.ts';
import { flagFor } from './flag-names.ts';
import { CliFailure, EXIT } from './io.ts';
import type { Io } from './io.ts';
import { wordsOf } from './words.ts';

/** The part of a field's JSON Schema that decides how its flag is written. */
interface FieldShape {
  readonly type?: string;
  readonly description?: string;
  readonly example?: unknown;
  readonly default?: unknown;
  readonly maxLength?: number;
  readonly items?: FieldShape;
}

/** Longer text is rather in a file than on a command line: `@path` reads it. */
const LONG_TEXT_CHARS = 1_024;

type Files = Pick<Io, 'folder' | 'readStdin'>;

interface Flag {
  readonly field: string;
  readonly option: Option;
}

/** Gives a command one flag per input field of the operation; answers what reads the input back from the parsed flags. */
export function addInputFlags(
  command: Command,
  row: Operation,
  io: Files,
): (options: Record<string, unknown>) => unknown {
  const flags = Object.entries(row.input.shape).map(([field, schema]) =>
    row.secretFields.includes(field)
      ? secretFlagOf(field, schema as z.ZodType, io)
      : flagOf(field, schema as z.ZodType, io),
  );
  for (const { option } of flags) command.addOption(option);
  return (options) => {
    const given = flags.flatMap(({ field, option }) => {
      const value = options[option.attributeName()];
      return value === undefined ? [] : [[field, value] as const];
    });
    return { ...readInput(options['file'], io), ...Object.fromEntries(given) };
  };
}

/** The required fields with their examples, as they are typed. */
export function exampleFlags(row: Operation): string {
  return Object.entries(row.input.shape)
    .filter(([, schema]) => !(schema as z.ZodType).safeParse(undefined).success)
    .map(([field, schema]) => {
      const { example } = z.toJSONSchema(schema as z.ZodType, { io: 'input' }) as FieldShape;
      return `${flagFor(field)} ${exampleText(example)}`;
    })
    .join(' ');
}

function flagOf(field: string, schema: z.ZodType, io: Files): Flag {
  const shape = z.toJSONSchema(schema, { io: 'input' }) as FieldShape;
  const required = !schema.safeParse(undefined).success;
  const option = new Option(`${flagFor(field)} <${placeholderOf(shape)}>`, describe(shape, required));
  if (shape.type !== 'array') return { field, option: option.argParser((text) => valueFrom(text, shape, io)) };
  const items = shape.items ?? {};
  const collect = (text: string, before: unknown[] | undefined) => [...(before ?? []), valueFrom(text, items, io)];
  return { field, option: option.argParser(collect) };
}

/** A command line is seen by everybody on the machine and kept in the shell's history: a secret comes from a file. */
function secretFlagOf(field: string, schema: z.ZodType, io: Files): Flag {
  const shape = z.toJSONSchema(schema, { io: 'input' }) as FieldShape;
  const option = new Option(`${flagFor(field)} <@file>`, describe(shape, !schema.safeParse(undefined).success));
  const read = (text: string) => {
    if (text.startsWith('@')) return contentOf(text.slice(1), io);
    throw new InvalidArgumentError('A secret is not written on a command line: give @path of a file that holds it.');
  };
  return { field, option: option.argParser(read) };
}

function placeholderOf(shape: FieldShape): string {
  const one = shape.type === 'array' ? (shape.items ?? {}) : shape;
  if (isLongText(one)) return 'text|@file';
  return one.type === 'string' ? 'text' : one.type === 'integer' ? 'number' : 'json';
}

function describe(shape: FieldShape, required: boolean): string {
  const notes = [
    ...(required ? ['required'] : []),
    ...(shape.type === 'array' ? ['repeatable'] : []),
    ...(typeof shape.default === 'number' ? [`default ${shape.default}`] : []),
    ...(shape.example === undefined ? [] : [`example ${exampleText(shape.example)}`]),
  ];
  return `${shape.description ?? ''}${notes.length === 0 ? '' : ` (${notes.join(', ')})`}`;
}

function exampleText(example: unknown): string {
  return typeof example === 'string'
    ? example
    : Array.isArray(example)
      ? example.map(exampleText).join(' ')
      : JSON.stringify(example);
}

/** Whether a value fits is judged by the server, by the same schema; only its form is judged here. */
function valueFrom(text: string, shape: FieldShape, io: Files): unknown {
  if (shape.type === 'string') return isLongText(shape) && text.startsWith('@') ? lineIn(text.slice(1), io) : text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new InvalidArgumentError(shape.type === 'integer' ? 'Not a number.' : 'Not JSON.');
  }
}

function isLongText(shape: FieldShape): boolean {
  return shape.type === 'string' && (shape.maxLength ?? 0) > LONG_TEXT_CHARS;
}

/** A file ends with a line break; the text that it holds does not. */
function lineIn(path: string, io: Files): string {
  return contentOf(path, io).replace(/\n$/, '');
}

function contentOf(path: string, { folder }: Files): string {
  try {
    return readFileSync(resolve(folder, path), 'utf8');
  } catch (error) {
    throw new InvalidArgumentError(wordsOf(error));
  }
}

/** The input as YAML or JSON; flags win over it. */
function readInput(path: unknown, io: Files): Record<string, unknown> {
  if (typeof path !== 'string') return {};
  try {
    const document = parseDocument(path === '-' ? io.readStdin() : readFileSync(resolve(io.folder, path), 'utf8'));
    if (document.errors[0] !== undefined) throw document.errors[0];
    return z.record(z.string(), z.unknown()).parse(document.toJS());
  } catch (error) {
    const words = error instanceof z.ZodError ? 'it holds no mapping of input fields' : String(error);
    const name = path === '-' ? 'on stdin' : `file ${path}`;
    throw new CliFailure(`The input ${name} cannot be used, nothing was started: ${words}`, EXIT.usage);
  }
}
