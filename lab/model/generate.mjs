// Writes data-model.json (the interface facts of the XenAPI that the lab is driven by), records.ts and messages.ts (their
// TypeScript shape).
//
//   node lab/model/generate.mjs PATH_TO_xenapi.json PATH_TO_supplement.json
//
// xenapi.json is the data model published by the Xapi project; the supplement lists what it lacks (parameter names of error
// codes, messages without an Async form, alert priorities). Only names, types, defaults and lifecycle are taken over: the
// descriptions are upstream prose and stay there. The sha256 of both inputs is kept in the result.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const [modelPath, supplementPath] = process.argv.slice(2);
if (modelPath === undefined || supplementPath === undefined) {
  throw new Error('usage: node lab/model/generate.mjs PATH_TO_xenapi.json PATH_TO_supplement.json');
}
const modelText = readFileSync(modelPath);
const supplementText = readFileSync(supplementPath);
const classes = JSON.parse(modelText.toString('utf8'));
const supplement = JSON.parse(supplementText.toString('utf8'));
const syncOnly = new Set(supplement.syncOnly);
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** `{"a" -> "b", ...}`, `{x, y}`, `"text"`, `0.`, `Null` … as the data model prints a default → the JSON value of the type. */
function defaultValue(text, type) {
  if (type.endsWith(' option')) return null;
  if (type.endsWith(' map')) {
    return Object.fromEntries([...text.matchAll(/"([^"]*)" -> "([^"]*)"/g)].map(([, key, value]) => [key, value]));
  }
  if (type.endsWith(' set')) {
    const items = text
      .slice(1, -1)
      .split(/[;,]\s*/)
      .filter((item) => item !== '');
    return items.map((item) => defaultValue(item, type.slice(0, -' set'.length)));
  }
  if (type.endsWith(' ref')) return text === 'Null' ? 'OpaqueRef:NULL' : text;
  if (type === 'int' || type === 'float') return Number(text);
  if (type === 'bool') return text === 'true';
  return text.replace(/^"(.*)"$/s, '$1');
}

/** The release that brought the item and, after ">", the one that removed it: what the lab needs to speak as an older release. */
function life({ lifecycle: { transitions } }) {
  const removed = transitions.find((t) => t.transition === 'removed');
  return `${transitions[0]?.release ?? ''}${removed === undefined ? '' : `>${removed.release}`}`;
}

const field = (f) =>
  [
    f.name,
    f.type,
    f.qualifier,
    life(f),
    ...('default' in f ? [JSON.stringify(defaultValue(f.default, f.type))] : []),
  ].join('|');

const isAsync = (cls, m) =>
  m.implicit ? m.name === 'create' || m.name === 'destroy' : !syncOnly.has(`${cls.name}.${m.name}`);

/** name | result type | flags | life | parameters without the session; flags: s session, i implicit, a Async form. */
function message(cls, m) {
  const hasSession = m.params[0]?.name === 'session_id';
  const params = m.params.slice(hasSession ? 1 : 0).map((p) => `${p.name}${p.required ? '' : '?'}:${p.type}`);
  const flags = `${hasSession ? 's' : ''}${m.implicit ? 'i' : ''}${isAsync(cls, m) ? 'a' : ''}`;
  return [m.name, m.result[0], flags, life(m), params.join(';')].join('|');
}

// The daemon lists its methods in the reverse of the published order.
const model = {
  generated: 'by lab/model/generate.mjs; do not edit',
  sources: { dataModelSha256: sha256(modelText), supplementSha256: sha256(supplementText) },
  classes: Object.fromEntries(
    classes.map((cls) => [
      cls.name,
      {
        life: life(cls),
        fields: cls.fields.map(field),
        messages: cls.messages.toReversed().map((m) => message(cls, m)),
      },
    ]),
  ),
  enums: Object.fromEntries(
    classes.flatMap((cls) => cls.enums.map((e) => [e.name, e.values.map((value) => value.name)])),
  ),
  errors: Object.fromEntries(supplement.errors.map((e) => [e.code, e.params])),
  alerts: Object.fromEntries(supplement.alerts.map((a) => [a.name, a.priority])),
};
writeFileSync(new URL('data-model.json', import.meta.url), `${JSON.stringify(model, null, 1)}\n`);

const scalars = { string: 'string', int: 'number', float: 'number', bool: 'boolean', datetime: 'string' };
function tsType(type) {
  if (type.endsWith(' option')) return `${tsType(type.slice(0, -' option'.length))} | null`;
  if (type.endsWith(' set')) return `readonly ${tsType(type.slice(0, -' set'.length)).replace(/^(.* .*)$/, '($1)')}[]`;
  const map = /^\((.*) -> (.*)\) map$/.exec(type);
  if (map) return `Readonly<Record<string, ${tsType(map[2])}>>`;
  if (type.endsWith(' record')) return 'Readonly<Record<string, unknown>>';
  if (type.endsWith(' ref') || type.startsWith('enum ')) return 'string';
  return scalars[type];
}
const interfaceName = (name) =>
  `${name[0].toUpperCase()}${name.slice(1).replace(/_(.)/g, (_, c) => c.toUpperCase())}Record`;
const interfaces = classes.map((cls) => {
  const fields = cls.fields.map((f) => `  ${f.name}: ${tsType(f.type)};`);
  return [`export type ${interfaceName(cls.name)} = {`, ...fields, '};'].join('\n');
});
const index = classes.map((cls) => `  ${cls.name}: ${interfaceName(cls.name)};`);
writeFileSync(
  new URL('records.ts', import.meta.url),
  [
    '// Generated by lab/model/generate.mjs; do not edit.',
    '',
    ...interfaces.map((text) => `${text}\n`),
    '/** Every class of the data model by its official name. Sizes are bytes; dates are `YYYYMMDDThh:mm:ssZ`. */',
    'export interface Records {',
    ...index,
    '}',
    '',
    'export type ClassName = keyof Records;',
    '',
  ].join('\n'),
);

/** Messages that may have behaviour: the explicit ones, and of the generated ones those that write. */
const needsBehaviour = (m) => !m.implicit || !m.name.startsWith('get_');
const reserved = new Set(['class', 'from', 'public', 'static', 'interface', 'default', 'new', 'delete', 'function']);
const paramName = (name) => (reserved.has(name) ? `${name}_` : name);
function messageParam(p) {
  const record = /^(\w+) record$/.exec(p.type);
  const isClass = record !== null && classes.some((cls) => cls.name === record[1]);
  return `${paramName(p.name)}${p.required ? '' : '?'}: ${isClass ? `Records['${record[1]}']` : tsType(p.type)}`;
}
const tuples = classes.flatMap((cls) =>
  cls.messages.filter(needsBehaviour).map((m) => {
    const params = m.params.filter((p) => p.name !== 'session_id').map(messageParam);
    return `  '${cls.name}.${m.name}': [${params.join(', ')}];`;
  }),
);
writeFileSync(
  new URL('messages.ts', import.meta.url),
  [
    '// Generated by lab/model/generate.mjs; do not edit.',
    "import type { Records } from './records.ts';",
    '',
    '/** The parameters, without the session, of every message that may have behaviour. */',
    'export interface Messages {',
    ...tuples,
    '}',
    '',
  ].join('\n'),
);
