import type { Fault, FaultPoint } from '../fault-spec.ts';
import { namesOfHost } from '../dispatch/call-faults.ts';
import type { World } from '../world/world.ts';

/** The fault that is planned for what happens here and now; counts as fired. `object` is the reference of what it happens to. */
export function faultAt(
  world: World,
  point: FaultPoint,
  cls: 'VM' | 'SR' | 'host',
  object: string,
  host?: string,
): Fault | undefined {
  if (world.faults.isIdle) return undefined;
  const { uuid, name_label: name } = world.store.get(cls, object);
  const at = host === undefined ? {} : { host: namesOfHost(world, host) };
  return world.faults.take({ method: point, objects: new Set([object, uuid, name]), pool: world.id, ...at });
}
