import { nullRef } from '../world/identities.ts';
import type { Place } from '../world/site.ts';
import type { World } from '../world/world.ts';
import { XapiError, internalError } from '../xapi-error.ts';
import { neededMemoryBytes, seesNetwork, seesSr } from './boot-checks.ts';
import { reclaimableMemoryBytes } from './memory.ts';
import { assertIsUnknown } from './arrival.ts';
import { assertRoom } from './vdi.ts';
import { assertNotOlder } from './versions.ts';
import { disksOf } from './vm-support.ts';

type Texts = Readonly<Record<string, string>>;

/** What host.migrate_receive says of a host that takes VMs in; VM.migrate_send is given the same. */
const destinationKeys = ['master', 'xenops', 'session_id', 'host', 'SM'];

const hostnameOf = (url: string): string => (URL.canParse(url) ? new URL(url).hostname : url);

/**
 * The host that the map of host.migrate_receive means, of this pool or of another one of the lab. Throws CANNOT_CONTACT_HOST,
 * and what the pool over there answers: HOST_IS_SLAVE, SESSION_INVALID, HANDLE_INVALID.
 */
export function destinationOf(world: World, destination: Texts): Place {
  if (destinationKeys.some((key) => destination[key] === undefined)) throw internalError('Not_found');
  const { host = '', master = '', xenops = '', session_id: session = '' } = destination;
  if (world.store.find('host', host) !== undefined) return { world, host };
  const answering = world.site.at(hostnameOf(master));
  if (answering === undefined) throw new XapiError('CANNOT_CONTACT_HOST', hostnameOf(master));
  const { world: there } = answering;
  if (answering.host !== there.pool.master)
    throw new XapiError('HOST_IS_SLAVE', there.store.get('host', there.pool.master).address);
  there.sessions.use(session);
  there.store.get('host', host);
  if (there.machines.of(host).toolstack !== 'up') throw new XapiError('CANNOT_CONTACT_HOST', hostnameOf(xenops));
  return { world: there, host };
}

/** A VM on its way to another pool. */
export interface Crossing {
  readonly vm: string;
  readonly there: World;
  /** A host over there. */
  readonly host: string;
  /** Those that go: the VM, and its snapshots unless it is copied. */
  readonly vms: readonly string[];
  /** Where each disk goes, its snapshots and the images of memory too. */
  readonly srs: ReadonlyMap<string, string>;
  /** What each interface is plugged into over there. */
  readonly networks: ReadonlyMap<string, string>;
  readonly live: boolean;
  readonly force: boolean;
  readonly copy: boolean;
}

interface Wishes {
  readonly live: boolean;
  readonly srs: Texts;
  readonly vifMap: Texts;
  readonly options: Texts;
}

/** Throws VDI_NOT_IN_MAP. */
function placesOfDisks(world: World, vms: readonly string[], srs: Texts, { world: there, host }: Place) {
  const { default_SR: usual, suspend_image_SR: ofPool } = there.store.get('pool', there.pool.ref);
  const { suspend_image_sr: ofHost } = there.store.get('host', host);
  const known = (...all: readonly (string | undefined)[]) =>
    all.find((sr) => sr !== undefined && there.store.find('SR', sr) !== undefined);
  const places = new Map<string, string>();
  const put = (vdi: string, sr: string | undefined): void => {
    if (sr === undefined) throw new XapiError('VDI_NOT_IN_MAP', vdi);
    places.set(vdi, sr);
  };
  vms.forEach((vm, at) => {
    for (const vdi of disksOf(world, vm)) {
      const { snapshot_of: original } = world.store.get('VDI', vdi);
      put(vdi, at === 0 ? srs[vdi] : (srs[vdi] ?? srs[original] ?? known(usual)));
    }
    const { suspend_VDI: image } = world.store.get('VM', vm);
    if (world.store.find('VDI', image) !== undefined) put(image, srs[image] ?? known(ofPool, ofHost, usual));
  });
  return places;
}

/** An interface of a snapshot goes where the one with the same MAC goes. Throws VIF_NOT_IN_MAP. */
function placesOfInterfaces(world: World, vms: readonly string[], vifMap: Texts): Map<string, string> {
  const vifs = vms.flatMap((vm) => world.store.get('VM', vm).VIFs);
  const macOf = (vif: string) => world.store.get('VIF', vif).MAC;
  const byMac = new Map(vifs.flatMap((vif) => (vifMap[vif] === undefined ? [] : [[macOf(vif), vifMap[vif]] as const])));
  return new Map(
    vifs.map((vif) => {
      const network = vifMap[vif] ?? byMac.get(macOf(vif));
      if (network === undefined) throw new XapiError('VIF_NOT_IN_MAP', vif);
      return [vif, network];
    }),
  );
}

/** Throws VDI_NOT_IN_MAP and VIF_NOT_IN_MAP; the disks come first. */
export function crossingOf(world: World, vm: string, to: Place, { live, srs, vifMap, options }: Wishes): Crossing {
  const copy = options['copy'] === 'true';
  const vms = [vm, ...(copy ? [] : world.store.get('VM', vm).snapshots)];
  const places = placesOfDisks(world, vms, srs, to);
  const untracked = [...places.keys()].find((vdi) => world.store.get('VDI', vdi).cbt_enabled);
  if (untracked !== undefined) throw new XapiError('VDI_CBT_ENABLED', untracked);
  const networks = placesOfInterfaces(world, vms, vifMap);
  const { world: there, host } = to;
  return { vm, there, host, vms, srs: places, networks, live, copy, force: options['force'] === 'true' };
}

function assertVmCanGo(world: World, { vm, vms, there, host, copy, force, live }: Crossing): void {
  const { power_state: state, resident_on: home, last_boot_CPU_flags: cpu } = world.store.get('VM', vm);
  assertNotOlder(world, vm, home === nullRef ? world.pool.master : home, host, there);
  if (copy && !force && state !== 'Halted')
    throw new XapiError('VM_BAD_POWER_STATE', vm, 'halted', state.toLowerCase());
  const { enabled, cpu_info: cpuThere } = there.store.get('host', host);
  if (!enabled) throw new XapiError('HOST_DISABLED', host);
  const isForeign = cpu['vendor'] !== undefined && cpu['vendor'] !== cpuThere['vendor'];
  if (live && !force && state !== 'Halted' && isForeign)
    throw new XapiError(
      ...(['VM_INCOMPATIBLE_WITH_THIS_HOST', vm, host, `the VM was started on a CPU of ${cpu['vendor']}`] as const),
    );
  if (!copy) for (const one of vms) assertIsUnknown(there, world.store.get('VM', one));
}

function assertStorageThere(world: World, { vm, there, host, srs }: Crossing): void {
  const wanted = new Map<string, number>();
  for (const [vdi, sr] of srs) {
    const { on_boot: onBoot, physical_utilisation: bytes } = world.store.get('VDI', vdi);
    if (onBoot === 'reset') throw new XapiError('VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION', vdi);
    there.store.get('SR', sr);
    if (!seesSr(there, host, sr)) throw new XapiError('VM_REQUIRES_SR', vm, sr);
    wanted.set(sr, (wanted.get(sr) ?? 0) + bytes);
  }
  for (const [sr, bytes] of wanted) assertRoom(there, sr, bytes);
}

function assertHostTakes(world: World, { vm, there, host, networks }: Crossing): void {
  const { power_state: state, resident_on: home } = world.store.get('VM', vm);
  for (const network of networks.values()) there.store.get('network', network);
  if (state !== 'Running') return;
  const [needed, free] = [neededMemoryBytes(world, vm), reclaimableMemoryBytes(there, host)];
  if (needed > free) throw new XapiError('HOST_NOT_ENOUGH_FREE_MEMORY', String(needed), String(free));
  const unseen = world.store.get('VM', vm).VIFs.map((vif) => networks.get(vif) ?? nullRef);
  for (const network of unseen)
    if (!seesNetwork(there, host, network)) throw new XapiError('HOST_CANNOT_ATTACH_NETWORK', host, network);
  if (world.guests.areBoundToPool) {
    const why = 'a namespace guest that runs keeps its cables, which lead to networks of its own pool';
    throw new XapiError('VM_MIGRATE_FAILED', vm, home, host, why);
  }
}

/** Throws the first official reason why the VM cannot go to the other pool. */
export function assertCanCross(world: World, crossing: Crossing): void {
  assertVmCanGo(world, crossing);
  assertStorageThere(world, crossing);
  assertHostTakes(world, crossing);
}
