import { classes } from '../model/model.ts';
import type { ClassName } from '../model/records.ts';
import { escapeXml } from '../wire/xml-printer.ts';
import { rowOf } from '../world/database-text.ts';
import type { World } from '../world/world.ts';

/** Kept in memory only by the daemon, or in no table at all. */
const notDumped: ReadonlySet<string> = new Set(['session', 'task', 'event', 'message', 'auth', 'data_source']);
/** Tables of the daemon that its data model does not show. */
const uncatalogued = ['Diagnostics'];

/** White space would not survive in an attribute. */
const escapes: Readonly<Record<string, string>> = { '%': '%%', ' ': '%.', '\t': '%t', '\n': '%n', '\r': '%r' };
const attribute = ([name, value]: readonly [string, string]): string =>
  ` ${name}="${escapeXml(value).replace(/[% \t\n\r]/g, (found) => escapes[found] ?? found)}"`;

function rowText(world: World, cls: ClassName, ref: string): string {
  const { createdAt, modifiedAt } = world.store.entry(cls, ref);
  const counts: [string, string][] = [
    ['ref', ref],
    ['__ctime', String(createdAt)],
    ['__mtime', String(modifiedAt)],
  ];
  return `<row${[...counts, ...rowOf(world.store, cls, ref)].map(attribute).join('')}/>`;
}

function tableText(world: World, name: string): string {
  const refs = classes.has(name as ClassName) ? world.store.refs(name as ClassName).sort() : [];
  if (refs.length === 0) return `<table name="${name}"/>`;
  return `<table name="${name}">${refs.map((ref) => rowText(world, name as ClassName, ref)).join('')}</table>`;
}

/** The daemon's database as GET /pool/xmldbdump gives it. */
export function databaseDump(world: World): string {
  const { software_version: version } = world.store.get('host', world.pool.master);
  const [major = '', minor = ''] = (version['db_schema'] ?? '').split('.');
  const facts: [string, string][] = [
    ['schema_major_vsn', major],
    ['schema_minor_vsn', minor],
    ['generation_count', String(world.store.generation)],
  ];
  const manifest = facts.map(([key, value]) => `<pair key="${key}" value="${value}"/>`).join('');
  const names = [...classes.keys(), ...uncatalogued].filter((name) => !notDumped.has(name)).sort();
  const tables = names.map((name) => tableText(world, name)).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<database><manifest>${manifest}</manifest>${tables}</database>`;
}
