import type { Call, Handlers } from '../dispatch/call.ts';
import { classes } from '../model/model.ts';
import type { ClassName } from '../model/records.ts';
import type { ObjectName } from '../world/copy-objects.ts';
import { copyObjects } from '../world/copy-objects.ts';
import type { Place } from '../world/site.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { restartToolstackLater } from './host-lifecycle.ts';
import { moveNotes } from './host-objects.ts';
import { setLive } from './host-support.ts';
import type { Joining } from './join-checks.ts';
import { assertCanJoin } from './join-checks.ts';
import { checkPassword } from './session.ts';

/** Of each pool its own, or made anew by every daemon that starts. */
const staysBehind: ReadonlySet<ClassName> = new Set([
  ...(['pool', 'session', 'task', 'message', 'role', 'Repository', 'subject', 'user', 'SM'] as const),
]);

/** The pool at the address, with its coordinator. Throws what a login there would be answered. */
function coordinatorAt(world: World, address: string, user: string, password: string): World {
  const found = world.site.at(address);
  if (found === undefined) throw new XapiError('JOINING_HOST_CONNECTION_FAILED');
  const { world: there, host } = found;
  const { master } = there.pool;
  if (host !== master) throw new XapiError('HOST_IS_SLAVE', there.store.get('host', master).address);
  checkPassword(there, user, password);
  return there;
}

/** A network with an interface is the one of the same bridge over there, any other one the one of the same name. */
function sameNetwork(world: World, network: string, there: World): string | undefined {
  const { PIFs: pifs, bridge, name_label: name } = world.store.get('network', network);
  const [found] =
    there.store
      .records('network')
      .find(([, other]) => (pifs.length > 0 ? other.bridge === bridge : other.name_label === name)) ?? [];
  return found;
}

/** What the other pool has already, by the reference here. */
function alreadyThere(world: World, there: World): Map<string, string> {
  const networks = world.store.refs('network').map((ref) => [ref, sameNetwork(world, ref, there)] as const);
  const patches = (['pool_patch', 'pool_update'] as const).flatMap((cls) =>
    world.store.records(cls).map(([ref, { uuid }]) => [ref, there.store.byUuid(cls, uuid)] as const),
  );
  return new Map([...networks, ...patches].filter((pair): pair is readonly [string, string] => pair[1] !== undefined));
}

function* allObjects({ store }: World): Generator<ObjectName> {
  for (const cls of classes.keys()) for (const ref of store.refs(cls)) yield [cls, ref];
}

/** The host's and its VMs' records are made in the other pool, where it does not run yet. Gives the references there. */
function register({ world, host, there }: Joining): ReadonlyMap<string, string> {
  const known = alreadyThere(world, there);
  const moving = [...allObjects(world)].filter(([cls, ref]) => !staysBehind.has(cls) && !known.has(ref));
  const refs = copyObjects(world.store, there.store, moving, known, () => there.identities.ref());
  const member = refs.get(host) ?? '';
  there.machines.set(member, { power: 'restarting' });
  there.machines.setToolstack(member, 'down');
  there.store.update('host', member, { enabled: false, current_operations: {} });
  setLive(there, member, false);
  for (const pbd of there.store.get('host', member).PBDs) there.store.update('PBD', pbd, { currently_attached: false });
  return refs;
}

/** The pool of before is no more, what is on its disks and who its guests were goes with the host. */
function leave({ world, host, there }: Joining, refs: ReadonlyMap<string, string>): Place {
  const { uuid } = world.store.get('host', host);
  moveNotes(world, there, uuid);
  for (const [vdi, compressed] of world.contents.dump()) {
    const moved = refs.get(vdi);
    if (moved !== undefined) there.contents.load(moved, compressed);
    world.contents.drop(vdi);
  }
  const place = { world: there, host: refs.get(host) ?? '' };
  for (const [cls, ref] of allObjects(world)) world.store.restore(cls, ref, undefined);
  world.site.rehouse({ world, host }, place);
  return place;
}

/** The answer comes while the host is still a pool of its own; it is a member when its toolstack has restarted. */
function join(call: Call, address: string, user: string, password: string, force: boolean): void {
  const { world } = call;
  const joining = { world, host: world.pool.master, there: coordinatorAt(world, address, user, password) };
  assertCanJoin(joining, force);
  const refs = register(joining);
  restartToolstackLater(world, joining.host, 'roleChangeDelay', () => leave(joining, refs));
}

export const poolJoin: Handlers = {
  'pool.join': (call, address, user, password) => join(call, address, user, password, false),
  'pool.join_force': (call, address, user, password) => join(call, address, user, password, true),
};
