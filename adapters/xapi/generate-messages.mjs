// Writes messages.generated.ts: the part of XAPI's data model that the adapters use, as types.
// Usage: node adapters/xapi/generate-messages.mjs PATH_TO_xenapi.json
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const CLASSES = [
  'session',
  'task',
  'pool',
  'host',
  'host_metrics',
  'VM',
  'VM_metrics',
  'VM_guest_metrics',
  'VBD',
  'VDI',
  'VIF',
  'SR',
  'PBD',
  'network',
  'PIF',
];

// Explicit messages of these classes without an Async variant. The data model does not carry this fact (datamodel*.ml does).
const SYNC_ONLY = new Set(JSON.parse(readFileSync(new URL('./sync-only-messages.json', import.meta.url), 'utf8')));

const REMOVED = 'Removed_s';
const SIMPLE_TYPES = {
  string: 'string',
  int: 'number',
  float: 'number',
  bool: 'boolean',
  datetime: 'string',
  void: '',
};

const pascal = (name) =>
  name
    .split(/[_\s-]+/)
    .map((part) =>
      part === part.toUpperCase() ? part[0] + part.slice(1).toLowerCase() : part[0].toUpperCase() + part.slice(1),
    )
    .join('');

const usedEnums = new Set();

/** One XAPI type in TypeScript. References may lead to any class; records only to the classes above. */
function typeScript(xapiType, recordSuffix = 'Record') {
  const map = /^\((.+) -> (.+)\) map$/.exec(xapiType);
  if (map) return `Record<string, ${typeScript(map[2], recordSuffix)}>`;
  const set = /^(.+) set$/.exec(xapiType);
  if (set) return `readonly ${arrayOf(typeScript(set[1], recordSuffix))}`;
  const ref = /^(\S+) ref$/.exec(xapiType);
  if (ref) return `Ref<'${ref[1]}'>`;
  const record = /^(\S+) record$/.exec(xapiType);
  if (record) return CLASSES.includes(record[1]) ? `${pascal(record[1])}${recordSuffix}` : 'unknown';
  const enumeration = /^enum (\S+)$/.exec(xapiType);
  if (enumeration) {
    usedEnums.add(enumeration[1]);
    return pascal(enumeration[1]);
  }
  return SIMPLE_TYPES[xapiType] === '' ? "''" : (SIMPLE_TYPES[xapiType] ?? 'unknown');
}

const arrayOf = (type) => (type.startsWith('readonly ') ? `(${type})[]` : `${type}[]`);

const property = (name, type, optional = false) => `  readonly ${name}${optional ? '?' : ''}: ${type};`;

function recordInterface(xapiClass) {
  const fields = xapiClass.fields.filter((field) => field.lifecycle.state !== REMOVED);
  const lines = fields.map((field) => property(field.name, typeScript(field.type)));
  return `export interface ${pascal(xapiClass.name)}Record {\n${lines.join('\n')}\n}`;
}

/** What `create` takes: the fields a client may set; those without a default have to be there. */
function specInterface(xapiClass) {
  const fields = xapiClass.fields.filter(
    (field) => field.lifecycle.state !== REMOVED && ['RW', 'RO/constructor'].includes(field.qualifier),
  );
  const lines = fields.map((field) => property(field.name, typeScript(field.type), field.default !== undefined));
  return `export interface ${pascal(xapiClass.name)}Spec {\n${lines.join('\n')}\n}`;
}

function messageLine(xapiClass, message) {
  const params = message.params.filter((param) => param.name !== 'session_id' || param.type !== 'session ref');
  const tuple = params.map(
    (param) => `${safeName(param.name)}${param.required ? '' : '?'}: ${typeScript(param.type, 'Spec')}`,
  );
  return `  '${xapiClass.name}.${message.name}': { params: [${tuple.join(', ')}]; result: ${typeScript(message.result[0])} };`;
}

/** Parameter names that TypeScript reserves. */
const safeName = (name) =>
  ['public', 'interface', 'default', 'class', 'function', 'new'].includes(name) ? `${name}_` : name;

/** Integers in the result of a task arrive as text, unlike those of a call: such messages are not offered as tasks. */
function hasAsyncVariant(xapiClass, message) {
  if (/\bint\b/.test(message.result[0])) return false;
  if (message.implicit) return ['create', 'destroy'].includes(message.name);
  return !SYNC_ONLY.has(`${xapiClass.name}.${message.name}`);
}

const source = readFileSync(process.argv[2]);
const model = JSON.parse(source.toString('utf8'));
const classes = CLASSES.map((name) => model.find((one) => one.name === name));
const published = classes.flatMap((one) =>
  one.messages.filter((message) => message.lifecycle.state !== REMOVED).map((message) => ({ xapiClass: one, message })),
);

const records = classes.map(recordInterface);
const creatable = classes.filter((one) =>
  one.messages.some((message) => message.implicit && message.name === 'create'),
);
const specs = creatable.map(specInterface);
const messages = published.map(({ xapiClass, message }) => messageLine(xapiClass, message));
const asyncNames = published
  .filter(({ xapiClass, message }) => hasAsyncVariant(xapiClass, message))
  .map(({ xapiClass, message }) => `  | '${xapiClass.name}.${message.name}'`);
const enums = model
  .flatMap((one) => one.enums)
  .filter((one, index, all) => usedEnums.has(one.name) && all.findIndex((other) => other.name === one.name) === index)
  .map((one) => `export type ${pascal(one.name)} = ${one.values.map((value) => `'${value.name}'`).join(' | ')};`);

const sha256 = createHash('sha256').update(source).digest('hex');
writeFileSync(
  new URL('./messages.generated.ts', import.meta.url),
  `// Generated by adapters/xapi/generate-messages.mjs; do not edit. Source: xenapi.json of xapi-project, sha256 ${sha256}.
import type { Ref } from './ref.ts';

${enums.join('\n')}

${records.join('\n\n')}

${specs.join('\n\n')}

/** Method → parameters without the session, and result. Void results arrive as the empty string. */
export interface XapiMessages {
${messages.join('\n')}
}

/** The messages that can also run as a task and have no integer in their result, called \`Async.<name>\`. */
export type AsyncMethod =
${asyncNames.join('\n')};
`,
);
