import type { ClassName } from '../model/records.ts';
import { asText } from '../model/types.ts';
import type { ObjectName } from '../world/copy-objects.ts';
import { nullRef } from '../world/identities.ts';
import type { Store } from '../world/store.ts';
import type { World } from '../world/world.ts';

/** Classes whose objects name the host that they are a part of. */
const parts: readonly ClassName[] = [
  ...(['host_cpu', 'PCI', 'PGPU', 'PUSB', 'Feature', 'host_crashdump', 'host_patch'] as const),
  ...(['Certificate', 'PIF', 'PBD'] as const),
];

/** What is built on an interface, with the field that names it. */
const builtOnPifs = [
  ['Bond', 'master'],
  ['VLAN', 'untagged_PIF'],
  ['tunnel', 'access_PIF'],
] as const;

/** The object, with the one that holds its measurements. */
function withMetrics(store: Store, cls: 'host' | 'VM' | 'PIF', ref: string): ObjectName[] {
  const { metrics } = store.get(cls, ref);
  return metrics === nullRef
    ? [[cls, ref]]
    : [
        [`${cls}_metrics`, metrics],
        [cls, ref],
      ];
}

const controlDomainsOf = (store: Store, host: string): string[] =>
  store.get('host', host).resident_VMs.filter((vm) => store.get('VM', vm).is_control_domain);

/** Everything that a pool knows of a host as a machine: its parts, its interfaces, its ways to storage, its control domain. */
export function hostObjects({ store }: World, host: string): ObjectName[] {
  const ofHost = parts.flatMap((cls) =>
    [...store.entries(cls)]
      .filter(({ record }) => asText(record['host']) === host)
      .map(({ ref }) => [cls, ref] as const),
  );
  const { PIFs: pifs } = store.get('host', host);
  const built = builtOnPifs.flatMap(([cls, field]) =>
    [...store.entries(cls)]
      .filter(({ record }) => pifs.includes(asText(record[field])))
      .map(({ ref }) => [cls, ref] as const),
  );
  const all: readonly ObjectName[] = [
    ...built,
    ...withMetrics(store, 'host', host),
    ...ofHost.flatMap(([cls, ref]) => (cls === 'PIF' ? withMetrics(store, cls, ref) : [[cls, ref] as const])),
    ...controlDomainsOf(store, host).flatMap((vm) => withMetrics(store, 'VM', vm)),
  ];
  // A VLAN shares the measurements of its card.
  return [...new Map(all.map((object) => [object[1], object])).values()];
}

/** The pool knows the host no more. */
export function removeHost(world: World, host: string): void {
  for (const [cls, ref] of hostObjects(world, host)) world.store.destroy(cls, ref);
}

/** What the machines themselves keep, packages and files: it is named after the host's uuid and goes where the host goes. */
export function moveNotes(from: World, to: World, uuid: string): void {
  for (const { kind, key, value } of from.facts()) {
    if (kind !== 'note' || !key.endsWith(`/${uuid}`)) continue;
    from.setNote(key, null);
    to.setNote(key, value);
  }
}
