import data from './data-model.json' with { type: 'json' };
import type { ClassName } from './records.ts';
import type { Value, XenType } from './types.ts';
import { parseType, zeroValue } from './types.ts';

export interface FieldModel {
  readonly name: string;
  readonly type: XenType;
  /** RW: has a setter and belongs to the constructor; constructor: given once at creation; runtime: the daemon's own. */
  readonly qualifier: 'RW' | 'RO/constructor' | 'RO/runtime';
  readonly since: string;
  /** Whether a constructor may leave it out. */
  readonly optional: boolean;
  readonly initial: Value;
}

export interface ParamModel {
  readonly name: string;
  readonly type: XenType;
  readonly required: boolean;
}

export interface MessageModel {
  readonly cls: ClassName;
  readonly name: string;
  /** `VM.start` */
  readonly fullName: string;
  readonly result: XenType;
  readonly hasSession: boolean;
  readonly implicit: boolean;
  readonly hasAsync: boolean;
  readonly removed: boolean;
  readonly since: string;
  /** Without the session. */
  readonly params: readonly ParamModel[];
}

export interface ClassModel {
  readonly name: ClassName;
  readonly fields: readonly FieldModel[];
  readonly field: ReadonlyMap<string, FieldModel>;
  readonly messages: readonly MessageModel[];
}

export const enums: ReadonlyMap<string, readonly string[]> = new Map(Object.entries(data.enums));
/** Official error codes with the names of their parameters. */
export const errorParams: ReadonlyMap<string, readonly string[]> = new Map(Object.entries(data.errors));
export const alertPriorities: ReadonlyMap<string, number> = new Map(Object.entries(data.alerts));
export const sources = data.sources;

function parseField(text: string): FieldModel {
  const [name = '', typeText = '', qualifier = '', since = '', ...rest] = text.split('|');
  const type = parseType(typeText);
  const defaultText = rest.join('|');
  const optional = defaultText !== '';
  const initial = optional ? (JSON.parse(defaultText) as Value) : zeroValue(type, enums);
  return { name, type, qualifier: qualifier as FieldModel['qualifier'], since, optional, initial };
}

function parseParam(text: string): ParamModel {
  const [name = '', type = ''] = text.split(':');
  return { name: name.replace(/\?$/, ''), type: parseType(type), required: !name.endsWith('?') };
}

function parseMessage(cls: ClassName, text: string): MessageModel {
  const [name = '', result = '', flags = '', since = '', params = ''] = text.split('|');
  return {
    cls,
    name,
    fullName: `${cls}.${name}`,
    result: parseType(result),
    hasSession: flags.startsWith('s'),
    implicit: /^s?i/.test(flags),
    hasAsync: /^s?i?a/.test(flags),
    removed: flags.endsWith('Rem'),
    since,
    params: params === '' ? [] : params.split(';').map(parseParam),
  };
}

function parseClass(name: ClassName): ClassModel {
  const { fields: fieldTexts, messages } = data.classes[name];
  const fields = fieldTexts.map(parseField);
  return {
    name,
    fields,
    field: new Map(fields.map((field) => [field.name, field])),
    messages: messages.map((text) => parseMessage(name, text)),
  };
}

/** Everything in the data model, also what is newer than the release that the lab speaks as. */
export const publishedClasses: ReadonlyMap<ClassName, ClassModel> = new Map(
  (Object.keys(data.classes) as ClassName[]).map((name) => [name, parseClass(name)]),
);

/** The release of the daemon that the lab speaks as: the one whose wire was recorded. */
const spokenRelease = [25, 33, 1] as const;

/** Releases before 21.2.0 have names or other numbers, and are all older. */
function isSpoken({ since }: { readonly since: string }): boolean {
  const numbers = /^(2\d)\.(\d+)\.(\d+)/.exec(since)?.slice(1).map(Number);
  if (numbers === undefined) return true;
  const at = spokenRelease.findIndex((number, index) => number !== numbers[index]);
  return at < 0 || (numbers[at] ?? 0) < (spokenRelease[at] ?? 0);
}

function spokenPart(model: ClassModel): ClassModel {
  const fields = model.fields.filter(isSpoken);
  return {
    name: model.name,
    fields,
    field: new Map(fields.map((field) => [field.name, field])),
    messages: model.messages.filter(isSpoken),
  };
}

export const classes: ReadonlyMap<ClassName, ClassModel> = new Map(
  [...publishedClasses]
    .filter(([name]) => isSpoken(data.classes[name]))
    .map(([name, model]) => [name, spokenPart(model)]),
);

export function classModel(name: ClassName): ClassModel {
  const found = classes.get(name);
  if (found === undefined) throw new Error(`no class ${name} in the data model`);
  return found;
}

export function isClassName(name: string): name is ClassName {
  return classes.has(name as ClassName);
}
