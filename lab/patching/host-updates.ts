import type { Call, Handlers } from '../dispatch/call.ts';
import { guestsOn } from '../behaviour/host-support.ts';
import { formatDate } from '../world/dates.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { addGuidances, installSoftware, removeGuidance } from './guidances.ts';
import type { Activation } from './guidances.ts';
import { exclusively, updateRepository } from './repository.ts';
import type { CdnUpdate, GuidanceKind, Guidances, LivePatch } from './vendor.ts';
import { listOf } from './vendor.ts';

const kinds: readonly GuidanceKind[] = ['mandatory', 'recommended', 'full'];

/** What a stronger guidance does anyway. */
const included: Readonly<Record<string, readonly string[]>> = {
  RebootHost: ['RestartToolstack', 'RestartDeviceModel', 'EvacuateHost', 'RestartVM'],
  RestartVM: ['RestartDeviceModel'],
};
/** Rebooting a host needs it empty: EvacuateHost stays beside RebootHost. */
const kept: ReadonlySet<string> = new Set(['EvacuateHost', 'RestartVM']);

/** All that the updates ask for, without what a stronger one includes. */
function reduce(updates: readonly CdnUpdate[], kind: GuidanceKind): string[] {
  const all = [...new Set(updates.flatMap(({ guidance }) => guidance[kind]))];
  const covered = all.flatMap((name) => included[name] ?? []).filter((name) => !kept.has(name));
  return all.filter((name) => !covered.includes(name));
}

export const guidanceOf = (updates: readonly CdnUpdate[]): Guidances => ({
  mandatory: reduce(updates, 'mandatory'),
  recommended: reduce(updates, 'recommended'),
  full: reduce(updates, 'full'),
});

/** What a host lacks of what was synced last. Throws NO_REPOSITORY_ENABLED. */
export function missingOn(world: World, host: string): readonly CdnUpdate[] {
  const { hash } = world.store.get('Repository', updateRepository(world));
  return world.vendor.between(world.store.get('host', host).last_update_hash, hash);
}

export const livepatchJson = ({ component, baseBuildId, base, to }: LivePatch): Readonly<Record<string, string>> => {
  const [baseVersion = '', baseRelease = ''] = base.split('-');
  const [toVersion = '', toRelease = ''] = to.split('-');
  return {
    component,
    base_build_id: baseBuildId,
    base_version: baseVersion,
    base_release: baseRelease,
    to_version: toVersion,
    to_release: toRelease,
  };
};

const livepatchNote = (hostUuid: string) => `livepatch-failure/${hostUuid}`;

/** From now on live patches cannot be applied on the host, or they can again. */
export function setLivepatchFailure(world: World, host: string, fails: boolean): void {
  world.setNote(livepatchNote(world.store.get('host', host).uuid), fails ? 'fails' : null);
}

/** The live patches that could not be applied: no failure of the call, but what it answers. */
function applyLivepatches(world: World, host: string, livepatches: readonly LivePatch[]): readonly LivePatch[] {
  return world.note(livepatchNote(world.store.get('host', host).uuid)) === undefined ? [] : livepatches;
}

const hostGuidances: Readonly<Record<string, string>> = {
  RebootHost: 'reboot_host',
  RestartToolstack: 'restart_toolstack',
};

/** Hosts remember what concerns them; the device models of VMs on the host, and all running VMs of the pool for RestartVM. */
function setPending(world: World, host: string, kind: GuidanceKind, names: readonly string[]): void {
  const list = listOf[kind];
  const own = names.flatMap((name) => hostGuidances[name] ?? []);
  addGuidances(world, 'host', host, list, own);
  if (names.includes('RestartDeviceModel'))
    for (const vm of guestsOn(world, host)) addGuidances(world, 'VM', vm, list, ['restart_device_model']);
  if (names.includes('RestartVM'))
    for (const member of world.store.refs('host'))
      for (const vm of guestsOn(world, member)) addGuidances(world, 'VM', vm, list, ['restart_vm']);
}

function activationOf({ mandatory, recommended, full }: Guidances): Activation {
  const all = [...mandatory, ...recommended, ...full];
  if (all.includes('RebootHost')) return 'reboot';
  return all.includes('RestartToolstack') ? 'toolstack' : 'now';
}

const softwareOf = (updates: readonly CdnUpdate[]): Readonly<Record<string, string>> =>
  Object.assign({}, ...updates.map(({ software }) => software ?? {})) as Readonly<Record<string, string>>;

function assertReady(world: World, host: string, hash: string): void {
  const { enabled } = world.store.get('host', host);
  if (world.store.get('pool', world.pool.ref).ha_enabled) throw new XapiError('HA_IS_ENABLED');
  if (enabled) throw new XapiError('HOST_NOT_DISABLED');
  if (world.store.get('Repository', updateRepository(world)).hash !== hash) {
    throw new XapiError('UPDATEINFO_HASH_MISMATCH');
  }
}

/** Answers the failures of live patches, each as an error. */
async function apply(call: Call, host: string, hash: string): Promise<string[][]> {
  const { world } = call;
  const updates = missingOn(world, host);
  const guidance = guidanceOf(updates);
  if (guidance.mandatory.includes('EvacuateHost') && guestsOn(world, host).length > 0) {
    throw new XapiError('HOST_EVACUATION_IS_REQUIRED', host);
  }
  await world.latency.spend('patchHost', call.signal);
  const failed = applyLivepatches(
    world,
    host,
    updates.flatMap(({ livepatches }) => livepatches ?? []),
  );
  for (const kind of kinds) setPending(world, host, kind, guidance[kind]);
  const asked = failed.map(({ component }) => `reboot_host_on_${component}_livepatch_failure`);
  addGuidances(world, 'host', host, 'pending_guidances', asked);
  installSoftware(world, host, { at: activationOf(guidance), software: softwareOf(updates) });
  world.store.update('host', host, {
    last_software_update: formatDate(Date.now()),
    last_update_hash: hash,
    latest_synced_updates_applied: 'yes',
  });
  return failed.map((livepatch) => ['APPLY_LIVEPATCH_FAILED', JSON.stringify(livepatchJson(livepatch))]);
}

/** As the daemon shows a host's work: in its own current_operations too. */
async function applyOn(call: Call, host: string, hash: string): Promise<string[][]> {
  const check = () => assertReady(call.world, host, hash);
  const operation = {
    cls: 'host',
    ref: host,
    name: 'apply_updates',
    id: call.operationId,
    signal: call.signal,
    check,
  } as const;
  return exclusively(call, 'apply_updates', () =>
    call.world.operations.run(operation, call.cancel, () => apply(call, host, hash)),
  );
}

/** Every reason why updating the pool would fail now, each as an error; none: it is ready. */
function readiness(world: World, requiresReboot: boolean): string[][] {
  const { ha_enabled: hasHa } = world.store.get('pool', world.pool.ref);
  const offline = world.store
    .records('host')
    .filter(([, host]) => !world.store.get('host_metrics', host.metrics).live)
    .map(([ref]) => ['HOST_OFFLINE', ref]);
  return [...(hasHa ? [['HA_IS_ENABLED']] : []), ...offline, ...(requiresReboot ? stuckVms(world) : [])];
}

/** VMs that run and have a disk on storage that no other host sees: their host cannot be emptied. */
function stuckVms(world: World): string[][] {
  const isLocal = (vdi: string) => {
    const sr = world.store.find('VDI', vdi)?.SR;
    return sr !== undefined && !world.store.get('SR', sr).shared;
  };
  const guests = world.store.refs('host').flatMap((host) => guestsOn(world, host));
  return guests.flatMap((vm) => {
    const disks = world.store.get('VM', vm).VBDs.map((ref) => world.store.get('VBD', ref).VDI);
    return disks.filter(isLocal).map((vdi) => ['VM_REQUIRES_SR', vm, world.store.get('VDI', vdi).SR]);
  });
}

function restartDeviceModels(world: World, vm: string): void {
  const { power_state: state, is_a_template: isTemplate } = world.store.get('VM', vm);
  if (isTemplate) throw new XapiError('VM_IS_TEMPLATE', vm, 'restart_device_models');
  if (state !== 'Running') throw new XapiError('VM_BAD_POWER_STATE', vm, 'running', state.toLowerCase());
  removeGuidance(world, 'VM', vm, 'restart_device_model');
}

/** Updates from a repository: XenServer 8.4 and later. */
export const hostUpdatesBehaviour: Handlers = {
  'host.apply_updates': (call, host, hash) => applyOn(call, host, hash),
  'host.emergency_clear_mandatory_guidance': ({ world, host }) =>
    world.store.update('host', host, { pending_guidances: [] }),
  'pool.check_update_readiness': ({ world }, _pool, requiresReboot) => readiness(world, requiresReboot),
  'VM.restart_device_models': ({ world }, vm) => restartDeviceModels(world, vm),
};
