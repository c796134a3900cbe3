import type { AddedObject } from './lab-control.ts';

/**
 * The new objects that belong to no wanted VM. What belongs to a VM is what is linked to it, in either direction and over
 * any number of new objects: its drives, their disks, its interfaces, its metrics.
 */
export function findOrphans(added: readonly AddedObject[], wantedVmUuids: ReadonlySet<string>): AddedObject[] {
  const byRef = new Map(added.map((object) => [object.ref, object]));
  const links = linksBetween(added, byRef);
  const owned = new Set(added.filter(({ cls, uuid }) => cls === 'VM' && wantedVmUuids.has(uuid)));
  // A set that grows while it is walked is walked to its end.
  for (const object of owned) for (const other of links.get(object) ?? []) owned.add(other);
  return added.filter((object) => !owned.has(object));
}

function linksBetween(added: readonly AddedObject[], byRef: ReadonlyMap<string, AddedObject>) {
  const links = new Map<AddedObject, AddedObject[]>(added.map((object) => [object, []]));
  for (const object of added) {
    for (const value of Object.values(object.record).flat()) {
      const other = typeof value === 'string' ? byRef.get(value) : undefined;
      if (other === undefined || other === object) continue;
      links.get(object)?.push(other);
      links.get(other)?.push(object);
    }
  }
  return links;
}
