import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';

const numbers = (version: string): number[] => version.split('.').map(Number);

function compareTexts(a: string, b: string): number {
  const [left, right] = [numbers(a), numbers(b)];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

const xapiOf = ({ xapi_build: build, xapi = '' }: Readonly<Record<string, string>>): string => build ?? xapi;

/**
 * A member whose daemon is newer than its coordinator's does not start: the error that it answers with, until the coordinator
 * has caught up. Daemons know of it since 24 (xen-api, ocaml/xapi/xapi.ml); which one came with it exactly is not known.
 */
export function aheadOfCoordinator(
  world: World,
  software: Readonly<Record<string, string>>,
): readonly string[] | undefined {
  const mine = xapiOf(software);
  const theirs = xapiOf(world.store.get('host', world.pool.master).software_version);
  const isAhead = Number.parseInt(mine, 10) >= 24 && compareTexts(mine, theirs) > 0;
  return isAhead ? ['HOST_XAPI_VERSION_HIGHER_THAN_COORDINATOR', mine] : undefined;
}

/** Below zero: the first one is the older release. The platform's version counts first, then the product's. */
function compareSoftware(left: Readonly<Record<string, string>>, right: Readonly<Record<string, string>>): number {
  const keys = ['platform_version', 'product_version'];
  return keys.map((key) => compareTexts(left[key] ?? '', right[key] ?? '')).find((order) => order !== 0) ?? 0;
}

/** Below zero: the first host runs the older release. */
export const compareHosts = (world: World, a: string, b: string): number =>
  compareSoftware(world.store.get('host', a).software_version, world.store.get('host', b).software_version);

/**
 * A VM goes to a host of the same or a newer release only, in another pool (`there`) too. Throws
 * VM_HOST_INCOMPATIBLE_VERSION_MIGRATE.
 */
export function assertNotOlder(world: World, vm: string, from: string, to: string, there = world): void {
  const { software_version: software } = there.store.get('host', to);
  if (compareSoftware(software, world.store.get('host', from).software_version) < 0)
    throw new XapiError('VM_HOST_INCOMPATIBLE_VERSION_MIGRATE', to, vm);
}

/** While a pool is between two releases, a VM starts on the newest one only. Throws VM_HOST_INCOMPATIBLE_VERSION. */
export function assertNewest(world: World, vm: string, host: string): void {
  if (world.store.refs('host').some((other) => compareHosts(world, host, other) < 0))
    throw new XapiError('VM_HOST_INCOMPATIBLE_VERSION', host, vm);
}
