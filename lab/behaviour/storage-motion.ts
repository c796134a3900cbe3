import type { Call, Handlers } from '../dispatch/call.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { assertCanBootHere, seesSr } from './boot-checks.ts';
import { assertMigrationNetwork, migrate } from './migration.ts';
import { chooseHostThat } from './placement.ts';
import { cross } from './pool-crossing.ts';
import { assertCanCross, crossingOf, destinationOf } from './pool-crossing-checks.ts';
import { assertRoom, moveVdi } from './vdi.ts';
import { assertNotOlder } from './versions.ts';
import type { Wish } from './vm-support.ts';
import { disksOf, vmWish } from './vm-support.ts';

type Texts = Readonly<Record<string, string>>;

interface Move {
  readonly vm: string;
  /** A host of this pool. */
  readonly host: string;
  /** Where each disk goes; one that stays is named with its own SR. */
  readonly srs: Texts;
  readonly vifMap: Texts;
  readonly force: boolean;
  readonly copy: boolean;
}

function moveOf(vm: string, host: string, srs: Texts, vifMap: Texts, options: Texts): Move {
  return { vm, host, srs, vifMap, force: options['force'] === 'true', copy: options['copy'] === 'true' };
}

function assertDisksCanMove(world: World, { vm, srs, host }: Move): void {
  const disks = disksOf(world, vm);
  for (const vdi of disks) {
    if (srs[vdi] === undefined) throw new XapiError('VDI_NOT_IN_MAP', vdi);
    if (world.store.get('VDI', vdi).cbt_enabled) throw new XapiError('VDI_CBT_ENABLED', vdi);
  }
  for (const [vdi, sr] of Object.entries(srs)) {
    world.store.get('VDI', vdi);
    world.store.get('SR', sr);
    if (!seesSr(world, host, sr)) throw new XapiError('VM_REQUIRES_SR', vm, sr);
  }
}

/** Throws the first official reason why the VM cannot go there with its disks; the storage that it has does not count. */
function assertCanMigrate(world: World, move: Move): void {
  const { vm, host, vifMap, copy } = move;
  const { power_state: state, resident_on: resident } = world.store.get('VM', vm);
  assertDisksCanMove(world, move);
  if (copy && state !== 'Halted') throw new XapiError('VM_BAD_POWER_STATE', vm, 'halted', state.toLowerCase());
  assertNotOlder(world, vm, resident === nullRef ? world.pool.master : resident, host);
  assertCanBootHere(world, vm, host, { storage: false });
  if (Object.keys(vifMap).length > 0)
    throw new XapiError('NOT_IMPLEMENTED', 'VIF mapping is not supported for intra-pool migration');
}

/** A disk's snapshots follow it unless they are told where to go. */
function changesOf(world: World, srs: Texts): [string, string][] {
  const all = new Map(Object.entries(srs));
  for (const [vdi, sr] of Object.entries(srs))
    for (const snapshot of world.store.get('VDI', vdi).snapshots) if (!all.has(snapshot)) all.set(snapshot, sr);
  return [...all].filter(([vdi, sr]) => world.store.get('VDI', vdi).SR !== sr);
}

function assertRoomForAll(world: World, changes: readonly (readonly [string, string])[]): void {
  const wanted = new Map<string, number>();
  for (const [vdi, sr] of changes)
    wanted.set(sr, (wanted.get(sr) ?? 0) + world.store.get('VDI', vdi).physical_utilisation);
  for (const [sr, bytes] of wanted) assertRoom(world, sr, bytes);
}

/** The disks are on both SRs until the VM has arrived; whatever goes wrong before leaves everything as it was. */
async function perform(call: Call, { vm, host, srs }: Move): Promise<Map<string, string>> {
  const { world } = call;
  const changes = changesOf(world, srs);
  assertRoomForAll(world, changes);
  const moved = new Map<string, string>();
  const moveDisks = () => {
    for (const [vdi, sr] of changes) moved.set(vdi, moveVdi(world, vdi, sr));
  };
  const { power_state: state, resident_on: home } = world.store.get('VM', vm);
  if (state === 'Running' && (home !== host || changes.length > 0)) {
    await migrate(call, vm, host, moveDisks);
    return moved;
  }
  await world.latency.spend('migrate', call.signal);
  moveDisks();
  return moved;
}

const wish = (force: boolean): Wish => ({ name: 'migrate_send', states: ['Halted', 'Suspended', 'Running'], force });

/** What a host of this pool tells a VM that is to come to it. */
function receive(world: World, host: string, network: string): Texts {
  const pif = assertMigrationNetwork(world, network, host);
  const { IP: address } = world.store.get('PIF', pif);
  const { address: master } = world.store.get('host', world.pool.master);
  const session = world.sessions.login(world.user, '', host);
  return {
    SM: `https://${address}/services/SM?session_id=${session}`,
    host,
    xenops: `https://${address}/services/xenops?session_id=${session}`,
    session_id: session,
    master: `https://${master}/`,
  };
}

/** The VM that keeps the disk busy. Throws VDI_NEEDS_VM_FOR_MIGRATE. */
function userOf(world: World, vdi: string): string {
  const [vbd] = world.store.get('VDI', vdi).VBDs;
  if (vbd === undefined) throw new XapiError('VDI_NEEDS_VM_FOR_MIGRATE', vdi);
  return world.store.get('VBD', vbd).VM;
}

/** The VM's host if it sees all the SRs, else one that does. */
function hostFor(world: World, vm: string, srs: readonly string[]): string {
  const { resident_on: home } = world.store.get('VM', vm);
  const sees = (host: string) => srs.every((sr) => seesSr(world, host, sr));
  if (sees(home)) return home;
  return chooseHostThat(world, vm, (host) => {
    const unseen = srs.find((sr) => !seesSr(world, host, sr));
    if (unseen !== undefined) throw new XapiError('VM_REQUIRES_SR', vm, unseen);
  });
}

/** The disk's reference on the other SR. */
async function movedVdi(call: Call, vdi: string, sr: string): Promise<string> {
  const { world } = call;
  const vm = userOf(world, vdi);
  return vmWish(call, vm, { name: 'migrate_send', states: ['Running'] }, async () => {
    const kept = disksOf(world, vm).map((disk) => [disk, world.store.get('VDI', disk).SR] as const);
    const srs = { ...Object.fromEntries(kept), [vdi]: sr };
    const host = hostFor(world, vm, Object.values(srs));
    const move = { vm, host, srs, vifMap: {}, force: false, copy: false };
    assertCanMigrate(world, move);
    return (await perform(call, move)).get(vdi) ?? vdi;
  });
}

/** A VM that goes to other storage, on its way to another host or not, of this pool or of another one. */
export const storageMotion: Handlers = {
  'host.migrate_receive': ({ world }, host, network) => receive(world, host, network),

  'VM.assert_can_migrate': ({ world }, vm, destination, live, srs, vifMap, options) => {
    const to = destinationOf(world, destination);
    if (to.world === world) return assertCanMigrate(world, moveOf(vm, to.host, srs, vifMap, options));
    assertCanCross(world, crossingOf(world, vm, to, { live, srs, vifMap, options }));
  },

  'VM.migrate_send': (call, vm, destination, live, srs, vifMap, options) => {
    const { world } = call;
    return vmWish(call, vm, wish(options['force'] === 'true'), async () => {
      const to = destinationOf(world, destination);
      if (to.world !== world) return cross(call, crossingOf(world, vm, to, { live, srs, vifMap, options }));
      const move = moveOf(vm, to.host, srs, vifMap, options);
      assertCanMigrate(world, move);
      await perform(call, move);
      return vm;
    });
  },

  'VDI.pool_migrate': (call, vdi, sr) => movedVdi(call, vdi, sr),
};
