import { alertPriorities } from '../model/model.ts';
import { formatDate } from '../world/dates.ts';
import type { World } from '../world/world.ts';

/** What the pool says by itself, as clients see it among the messages. */
export function postAlert(world: World, name: string, cls: 'Host' | 'VM', objectUuid: string, body: string): void {
  const priority = alertPriorities.get(name) ?? 5;
  world.store.create('message', { name, priority, cls, obj_uuid: objectUuid, timestamp: formatDate(Date.now()), body });
}
