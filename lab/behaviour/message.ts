import type { Handlers } from '../dispatch/call.ts';
import { classes } from '../model/model.ts';
import { formatDate, parseDate } from '../world/dates.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';

const since = (world: World, date: string) =>
  Object.fromEntries(
    world.store.records('message').filter(([, message]) => parseDate(message.timestamp) > parseDate(date)),
  );

/** A message is about an object: throws UUID_INVALID unless the object is there. */
function assertAbout(world: World, kind: string, uuid: string): void {
  const cls = [...classes.keys()].find((name) => name.toLowerCase() === kind.toLowerCase());
  if (cls !== undefined && world.store.byUuid(cls, uuid) === undefined) throw new XapiError('UUID_INVALID', kind, uuid);
}

export const messageBehaviour: Handlers = {
  'message.create': ({ world }, name, priority, cls, objectUuid, body) => {
    assertAbout(world, cls, objectUuid);
    return world.store.create('message', {
      name,
      priority,
      cls,
      obj_uuid: objectUuid,
      body,
      timestamp: formatDate(Date.now()),
    });
  },
  'message.destroy': ({ world }, message) => world.store.destroy('message', message),
  'message.destroy_many': ({ world }, messages) => {
    for (const message of messages) world.store.destroy('message', message);
  },
  'message.get_since': ({ world }, date) => since(world, date),
  'message.get': ({ world }, cls, objectUuid, date) =>
    Object.fromEntries(
      Object.entries(since(world, date)).filter(([, { cls: of, obj_uuid: uuid }]) => of === cls && uuid === objectUuid),
    ),
};
