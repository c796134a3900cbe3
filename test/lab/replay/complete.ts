import { classes } from '../../../lab/model/model.ts';
import type { ClassName } from '../../../lab/model/records.ts';
import type { Value } from '../../../lab/model/types.ts';
import { asText } from '../../../lab/model/types.ts';
import { links, targetsOf } from '../../../lab/world/links.ts';
import { filler, unseen, unseenUuid } from './objects.ts';
import { realRef } from './observed.ts';
import type { SeenCall, Sighting } from './observed.ts';
import type { Exchange } from './recording.ts';
import type { SeenObject } from './seed.ts';
import { countsIn } from './seed.ts';

const hostsOf = (objects: readonly SeenObject[]) => objects.filter(({ cls }) => cls === 'host').map(({ ref }) => ref);

interface Named {
  readonly cls: ClassName;
  readonly ref: string;
}

const classNames = new Map([...classes.keys()].map((cls) => [cls.toLowerCase(), cls]));

/** As many more objects as the first batch of events counts; what it counts is not the beginning once something was made. */
export function fillers(
  objects: readonly SeenObject[],
  stretch: readonly Exchange[],
  born: ReadonlySet<string>,
): SeenObject[] {
  const counted = stretch.find((exchange) => countsIn(exchange).size > 0);
  const counts = counted === undefined ? new Map<string, number>() : countsIn(counted);
  const earlier = stretch.filter(({ n }) => n < (counted?.n ?? 0)).map(({ body }) => body);
  if ([...born].some((ref) => realRef.test(ref) && earlier.some((body) => body.includes(ref)))) return [];
  return [...counts].flatMap(([name, count]) => {
    const cls = classNames.get(name);
    if (cls === undefined || ['session', 'message', 'host', 'pool'].includes(cls)) return [];
    const there = objects.filter((object) => object.cls === cls).length;
    return Array.from({ length: Math.max(0, count - there) }, () => filler(cls));
  });
}

/** The pool, its hosts and their control domains: no world is without them. */
export function household(objects: Map<string, SeenObject>): SeenObject[] {
  const hosts = [...objects.values()].filter(({ cls }) => cls === 'host');
  return hosts.flatMap(({ ref, record }) => [
    unseen('host_metrics', asText(record['metrics']), { memory_total: 32_194_428_928, live: true }),
    unseen('VM', asText(record['control_domain']), {
      name_label: 'Control domain',
      is_control_domain: true,
      power_state: 'Running',
      resident_on: ref,
    }),
    ...((record['host_CPUs'] ?? []) as readonly string[]).map((cpu) => unseen('host_cpu', cpu, { host: ref })),
  ]);
}

/** Both directions of every reference, as a world holds them. */
export function linked(objects: readonly SeenObject[]): SeenObject[] {
  return objects.map(({ cls, ref, record }) => {
    const sets = links
      .filter(({ to }) => to === cls)
      .map(({ from, field, set }): [string, Value] => {
        const namers = objects
          .filter((o) => o.cls === from && targetsOf(o.record[field]).includes(ref))
          .map((o) => o.ref);
        return [set, [...new Set([...targetsOf(record[set]), ...namers])]];
      });
    return { cls, ref, record: { ...record, ...Object.fromEntries(sets) } };
  });
}

/** What a record lists as its own. */
const listed = ({ cls, record }: SeenObject): Named[] =>
  links
    .filter(({ to, from }) => to === cls && from !== 'task')
    .flatMap(({ from, set }) => targetsOf(record[set]).map((ref) => ({ cls: from, ref })));

/** What a record lists as its own, and what its fields name: it is there too. */
export const namedBy = (object: SeenObject): Named[] => [
  ...listed(object),
  ...(classes.get(object.cls)?.fields ?? []).flatMap(({ name, type }) =>
    type.kind === 'ref' ? [{ cls: type.cls as ClassName, ref: asText(object.record[name]) }] : [],
  ),
];

/** Parts of which nothing is known but that somebody lists them: they name who lists them, cards and storage are in use. */
export function attached(objects: readonly SeenObject[]): SeenObject[] {
  const [host = ''] = hostsOf(objects);
  const owners = new Map(objects.flatMap((owner) => listed(owner).map(({ ref }) => [ref, owner])));
  return objects.map((object) => {
    const owner = owners.get(object.ref);
    const field = links.find(({ from, to }) => from === object.cls && to === owner?.cls)?.field;
    const isKnown = !asText(object.record['uuid']).startsWith(unseenUuid);
    if (owner === undefined || field === undefined || isKnown || realRef.test(asText(object.record[field])))
      return object;
    const fields = { ...object.record, [field]: owner.ref };
    const isPlugged = ['PIF', 'PBD'].includes(object.cls);
    return { ...object, record: isPlugged ? { ...fields, host, currently_attached: true } : fields };
  });
}

/** A VM that is up is so somewhere. */
export const placed = (objects: readonly SeenObject[]): SeenObject[] =>
  objects.map((object) => {
    const { power_state: state, resident_on: at } = object.record;
    if (object.cls !== 'VM' || !['Running', 'Paused'].includes(asText(state)) || realRef.test(asText(at)))
      return object;
    return { ...object, record: { ...object.record, resident_on: hostsOf(objects)[0] ?? '', domid: 1 } };
  });

/** Tasks are the oldest in a batch of events, messages and the VMs that were shown last the newest. */
export const byAge = (objects: readonly SeenObject[], shown: readonly Sighting[]): SeenObject[] => {
  const age = ({ cls, ref }: SeenObject) => {
    if (cls === 'message') return Infinity;
    return cls === 'VM' ? 2 + (shown.find((sighting) => sighting.ref === ref)?.n ?? 0) : Number(cls !== 'task');
  };
  return [...objects].sort((a, b) => age(a) - age(b));
};

/** A storage that nobody described: as the recorder made its own, plugged into the first host. */
export function storage(objects: readonly SeenObject[], stretch: readonly Exchange[]): SeenObject[] {
  const texts = stretch.map(({ sent }) => sent).join();
  const [, uuid] = /sr=(?:"|&quot;|\\")([0-9a-f-]{36})/.exec(texts) ?? [];
  return objects.map((object) => {
    if (object.cls !== 'SR' || object.record['physical_size'] !== 0) return object;
    const fields = { physical_size: 1_099_511_627_776, ...(uuid === undefined ? {} : { uuid }) };
    return { ...object, record: { ...object.record, name_label: 'Local storage', ...fields } };
  });
}

/** Every storage is plugged in: by a PBD of which nothing but its host is known, else by one that nobody saw. */
export function plugged(objects: readonly SeenObject[]): SeenObject[] {
  const pbds = objects.filter(({ cls }) => cls === 'PBD');
  const namesSr = ({ record }: SeenObject) => realRef.test(asText(record['SR']));
  const loose = pbds.filter((pbd) => !namesSr(pbd));
  const taken = new Set(pbds.map(({ record }) => record['SR']));
  const bare = objects.filter(({ cls, ref }) => cls === 'SR' && !taken.has(ref));
  const attached = bare.map(({ ref: SR }) => {
    const host = hostsOf(objects)[0] ?? '';
    const { ref, record } = loose.shift() ?? filler('PBD', { host, currently_attached: true });
    return { cls: 'PBD' as const, ref, record: { ...record, SR } };
  });
  return [...objects.filter((object) => !attached.some(({ ref }) => ref === object.ref)), ...attached];
}

/** Without what a list of all objects of its class lacks, unless somebody named it before and may have ended it. */
export function listedIn(
  objects: readonly SeenObject[],
  stretch: readonly Exchange[],
  calls: ReadonlyMap<number, SeenCall>,
): SeenObject[] {
  const lists = new Map<string, Exchange>();
  for (const exchange of stretch) {
    const { message, result } = calls.get(exchange.n) ?? {};
    const isList = ['get_all', 'get_all_records'].includes(message?.name ?? '') && result !== undefined;
    const isWhole = isList && exchange.fullBodyBytes === undefined;
    if (message !== undefined && isWhole && !lists.has(message.cls)) lists.set(message.cls, exchange);
  }
  return objects.filter(({ cls, ref }) => {
    const list = lists.get(cls);
    const isNamed = stretch.some(({ n, sent }) => n < (list?.n ?? 0) && sent.includes(ref));
    return list === undefined || isNamed || list.body.includes(ref);
  });
}
