import { classModel, classes, enums, isClassName } from '../../../lab/model/model.ts';
import type { Value, XenType } from '../../../lab/model/types.ts';
import type { ClassName } from '../../../lab/model/records.ts';

/** What ends the caller's own session or takes the pool's API away: each has tests of its own. */
export const endings: ReadonlySet<string> = new Set([
  'session.logout',
  'session.local_logout',
  'host.destroy',
  'host.reboot',
  'host.restart_agent',
  'host.shutdown',
  'host.shutdown_agent',
  'host.management_disable',
  'host.management_reconfigure',
  'host.local_management_reconfigure',
  'host.emergency_ha_disable',
  'pool.designate_new_master',
  'pool.eject',
  'pool.emergency_reset_master',
  'pool.emergency_transition_to_master',
  'pool.join',
  'pool.join_force',
  'pool.management_reconfigure',
]);

/** Numbers from 0 to 1, the same ones for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const pick = <T>(items: readonly T[], random: () => number): T | undefined =>
  items[Math.floor(random() * items.length)];

/** Where values come from: the objects that are there, the numbers that mean something, and chance. */
export interface Source {
  readonly refs: (cls: ClassName) => readonly string[];
  readonly ints: readonly number[];
  readonly random: () => number;
}

function recordOf(cls: string, source: Source): Value {
  if (!isClassName(cls)) return {};
  const given = classModel(cls).fields.filter(({ qualifier }) => qualifier !== 'RO/runtime');
  return Object.fromEntries(given.map(({ name, type }) => [name, valueOf(type, source)]));
}

/** A value of the type that means something in the world: a reference of an object that is there, if one is. */
export function valueOf(type: XenType, source: Source): Value {
  const { refs, ints, random } = source;
  switch (type.kind) {
    case 'int':
      return pick(ints, random) ?? 0;
    case 'float':
      return 0;
    case 'bool':
      return random() < 0.5;
    case 'datetime':
      return '20260101T00:00:00Z';
    case 'enum':
      return pick(enums.get(type.name) ?? [], random) ?? '';
    case 'ref': {
      const cls = [...classes.keys()].find((name) => name === type.cls);
      return (cls === undefined ? undefined : pick(refs(cls), random)) ?? 'OpaqueRef:NULL';
    }
    case 'set':
      return random() < 0.5 ? [] : [valueOf(type.of, source)];
    case 'map':
      return type.key.kind === 'string' ? { key: valueOf(type.value, source) } : {};
    case 'record':
      return recordOf(type.cls, source);
    case 'option':
      return null;
    default:
      return pick(['', '0', 'text', 'autodetect'], random) ?? '';
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Where an answer by JSON-RPC does not have the declared type; undefined when it has. */
export function misfit(type: XenType, value: unknown, path = 'result'): string | undefined {
  const wrong = `${path} is no ${type.kind}: ${JSON.stringify(value)}`;
  switch (type.kind) {
    case 'int':
      return Number.isInteger(value) ? undefined : wrong;
    case 'float':
      return typeof value === 'number' ? undefined : wrong;
    case 'bool':
      return typeof value === 'boolean' ? undefined : wrong;
    case 'void':
      return value === '' ? undefined : wrong;
    case 'datetime':
      return typeof value === 'string' && /^\d{8}T\d\d:\d\d:\d\dZ$/.test(value) ? undefined : wrong;
    case 'enum':
      return (enums.get(type.name) ?? []).some((known) => known === value) ? undefined : wrong;
    case 'ref':
      return typeof value === 'string' && /^(OpaqueRef:|DummyRef:|$)/.test(value) ? undefined : wrong;
    case 'set':
    case 'option':
      return Array.isArray(value) ? firstOf(value, (item, at) => misfit(type.of, item, `${path}[${at}]`)) : wrong;
    case 'map':
      return isObject(value)
        ? firstOf(Object.entries(value), ([key, item]) => misfit(type.value, item, `${path}.${key}`))
        : wrong;
    case 'record':
      return isObject(value) ? recordMisfit(type.cls, value, path) : wrong;
    case 'batch':
      return isObject(value) && Array.isArray(value['events']) && typeof value['token'] === 'string'
        ? undefined
        : wrong;
    default:
      return typeof value === 'string' ? undefined : wrong;
  }
}

function firstOf<T>(items: readonly T[], test: (item: T, at: number) => string | undefined): string | undefined {
  for (const [at, item] of items.entries()) {
    const found = test(item, at);
    if (found !== undefined) return found;
  }
  return undefined;
}

function recordMisfit(cls: string, value: Record<string, unknown>, path: string): string | undefined {
  if (!isClassName(cls)) return undefined;
  const { fields } = classModel(cls);
  const names = Object.keys(value).join();
  if (names !== fields.map(({ name }) => name).join()) return `${path} has not the fields of ${cls}: ${names}`;
  return firstOf(fields, ({ name, type }) => misfit(type, value[name], `${path}.${name}`));
}
