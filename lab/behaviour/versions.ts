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

/** Below zero: the first host runs the older release. The platform's version counts first, then the product's. */
export function compareHosts(world: World, a: string, b: string): number {
  const [left, right] = [world.store.get('host', a).software_version, world.store.get('host', b).software_version];
  const keys = ['platform_version', 'product_version'];
  return keys.map((key) => compareTexts(left[key] ?? '', right[key] ?? '')).find((order) => order !== 0) ?? 0;
}

/** While a pool is between two releases, a VM goes to the same or a newer one only. Throws VM_HOST_INCOMPATIBLE_VERSION_MIGRATE. */
export function assertNotOlder(world: World, vm: string, from: string, to: string): void {
  if (compareHosts(world, to, from) < 0) throw new XapiError('VM_HOST_INCOMPATIBLE_VERSION_MIGRATE', to, vm);
}

/** While a pool is between two releases, a VM starts on the newest one only. Throws VM_HOST_INCOMPATIBLE_VERSION. */
export function assertNewest(world: World, vm: string, host: string): void {
  if (world.store.refs('host').some((other) => compareHosts(world, host, other) < 0))
    throw new XapiError('VM_HOST_INCOMPATIBLE_VERSION', host, vm);
}
