import { classes } from '../../../lab/model/model.ts';
import type { Value } from '../../../lab/model/types.ts';
import { asText } from '../../../lab/model/types.ts';
import { links, targetsOf } from '../../../lab/world/links.ts';
import { filler, unseen } from './objects.ts';
import { realRef } from './observed.ts';
import type { Sighting } from './observed.ts';
import type { Exchange } from './recording.ts';
import type { SeenObject } from './seed.ts';
import { countsIn } from './seed.ts';

const hostsOf = (objects: readonly SeenObject[]) => objects.filter(({ cls }) => cls === 'host').map(({ ref }) => ref);

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

/** What a record lists as its own and no answer shows. */
export function listed(objects: readonly SeenObject[]): SeenObject[] {
  const known = new Set(objects.map(({ ref }) => ref));
  const host = hostsOf(objects)[0] ?? '';
  return objects.flatMap(({ cls, ref, record }) =>
    links
      .filter(({ to, from }) => to === cls && ['PIF', 'PBD'].includes(from))
      .flatMap(({ from, field, set }) =>
        targetsOf(record[set])
          .filter((part) => !known.has(part))
          .map((part) => {
            known.add(part);
            return unseen(from, part, { host, [field]: ref, currently_attached: true });
          }),
      ),
  );
}

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
