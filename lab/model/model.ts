import data from './data-model.json' with { type: 'json' };
import { hiddenAfter } from './hidden-messages.ts';
import type { ClassName } from './records.ts';
import { isIn, takesParameter } from './releases.ts';
import type { Value, XenType } from './types.ts';
import { parseType, zeroValue } from './types.ts';

/** From which release on, and from which one on no more. */
export interface Life {
  readonly since: string;
  readonly removed: string | undefined;
}

export interface FieldModel {
  readonly name: string;
  readonly type: XenType;
  /** RW: has a setter and belongs to the constructor; constructor: given once at creation; runtime: the daemon's own. */
  readonly qualifier: 'RW' | 'RO/constructor' | 'RO/runtime';
  readonly life: Life;
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
  /** Whether only sessions that hosts of the pool have among themselves may call it. */
  readonly poolInternal: boolean;
  readonly life: Life;
  /** Whether the release spoken no longer has it: it is answered with MESSAGE_REMOVED. */
  readonly removed: boolean;
  /** Without the session. */
  readonly params: readonly ParamModel[];
}

export interface ClassModel {
  readonly name: ClassName;
  readonly fields: readonly FieldModel[];
  readonly field: ReadonlyMap<string, FieldModel>;
  readonly messages: readonly MessageModel[];
}

/** The interface as one release of the daemon has it. */
export interface ApiModel {
  readonly release: string;
  readonly classes: ReadonlyMap<ClassName, ClassModel>;
}

export const enums: ReadonlyMap<string, readonly string[]> = new Map(Object.entries(data.enums));
/** Official error codes with the names of their parameters. */
export const errorParams: ReadonlyMap<string, readonly string[]> = new Map(Object.entries(data.errors));
export const alertPriorities: ReadonlyMap<string, number> = new Map(Object.entries(data.alerts));
export const sources = data.sources;

function parseLife(text: string): Life {
  const [since = '', removed] = text.split('>');
  return { since, removed };
}

function parseField(text: string): FieldModel {
  const [name = '', typeText = '', qualifier = '', life = '', ...rest] = text.split('|');
  const type = parseType(typeText);
  const defaultText = rest.join('|');
  const optional = defaultText !== '';
  const initial = optional ? (JSON.parse(defaultText) as Value) : zeroValue(type, enums);
  return { name, type, qualifier: qualifier as FieldModel['qualifier'], life: parseLife(life), optional, initial };
}

function parseParam(text: string): ParamModel {
  const [name = '', type = ''] = text.split(':');
  return { name: name.replace(/\?$/, ''), type: parseType(type), required: !name.endsWith('?') };
}

function parseMessage(cls: ClassName, text: string): MessageModel {
  const [name = '', result = '', flags = '', lifeText = '', params = ''] = text.split('|');
  const life = parseLife(lifeText);
  return {
    cls,
    name,
    fullName: `${cls}.${name}`,
    result: parseType(result),
    hasSession: flags.startsWith('s'),
    implicit: /^s?i/.test(flags),
    hasAsync: /^s?i?a/.test(flags),
    poolInternal: flags.endsWith('p'),
    life,
    removed: life.removed !== undefined,
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

function parseHidden(text: string): MessageModel {
  const dot = text.indexOf('.');
  return parseMessage(text.slice(0, dot) as ClassName, text.slice(dot + 1));
}

/** What a release leaves of the whole, with what is not published: fields stay after their removal, messages answer that they are removed. */
function partOf(model: ClassModel, release: string): ClassModel {
  const isThere = ({ life }: { readonly life: Life }) => isIn(life.since, release);
  const fields = model.fields.filter(isThere);
  const messages = model.messages.flatMap((message) => [message, ...hiddenAfter(message.fullName).map(parseHidden)]);
  return {
    name: model.name,
    fields,
    field: new Map(fields.map((field) => [field.name, field])),
    messages: messages.filter(isThere).map((message) => ({
      ...message,
      removed: message.life.removed !== undefined && isIn(message.life.removed, release),
      params: message.params.filter(({ name }) => takesParameter(message.fullName, name, release)),
    })),
  };
}

export function apiModel(release: string): ApiModel {
  const known = [...publishedClasses].filter(([name]) => isIn(parseLife(data.classes[name].life).since, release));
  return { release, classes: new Map(known.map(([name, model]) => [name, partOf(model, release)])) };
}

/** The newest release that the lab speaks as: the one whose wire was recorded. Its world is kept in these terms. */
export const newestModel = apiModel('25.33.1');

export const { classes } = newestModel;

export function classModel(name: ClassName): ClassModel {
  const found = classes.get(name);
  if (found === undefined) throw new Error(`no class ${name} in the data model`);
  return found;
}

export function isClassName(name: string): name is ClassName {
  return classes.has(name as ClassName);
}
