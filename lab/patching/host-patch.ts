import { formatDate } from '../world/dates.ts';
import type { World } from '../world/world.ts';

/** The record that a host has a patch; an update of 7.1 and later leaves one for the patch that stands for it. */
export function recordHostPatch(world: World, patch: string, host: string): void {
  const about = { pool_patch: patch, host, applied: true, size: 0 };
  world.store.create('host_patch', { ...about, timestamp_applied: formatDate(Date.now()) });
}
