import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { assertHaOff } from './ha-plan.ts';
import { managementPif } from './pool-settings.ts';

/** A host that wants to become a member of another pool. */
export interface Joining {
  readonly world: World;
  readonly host: string;
  readonly there: World;
}

type Check = (joining: Joining) => void;

function assertHasManagementInterface({ world, host }: Joining): void {
  if (!world.store.get('host', host).PIFs.some((pif) => world.store.get('PIF', pif).management))
    throw new XapiError('HOST_STILL_BOOTING');
}

function assertNoHaHere({ world }: Joining): void {
  assertHaOff(world);
}

function assertNoClusterHere({ world }: Joining): void {
  const [member] = world.store.refs('Cluster_host');
  if (member !== undefined) throw new XapiError('CLUSTERING_ENABLED', member);
}

function assertNoHaThere({ there }: Joining): void {
  assertHaOff(there);
}

function assertOtherPool({ world, there }: Joining): void {
  if (world !== there) return;
  const isAlone = world.store.count('host') < 2;
  throw new XapiError(
    'OPERATION_NOT_ALLOWED',
    isAlone ? 'Host cannot become slave of itself' : 'Host is already part of a pool',
  );
}

function assertAlone({ world }: Joining): void {
  if (world.store.count('host') > 1) throw new XapiError('JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS');
}

function assertVmsAtRest({ world }: Joining): void {
  const vms = world.store.records('VM').map(([, vm]) => vm);
  if (vms.some((vm) => vm.power_state === 'Running' && !vm.is_control_domain))
    throw new XapiError('JOINING_HOST_CANNOT_HAVE_RUNNING_VMS');
  if (vms.some((vm) => Object.keys(vm.current_operations).length > 0))
    throw new XapiError('JOINING_HOST_CANNOT_HAVE_VMS_WITH_CURRENT_OPERATIONS');
}

/** The two hosts' records: the joining one's and the coordinator's. */
const hostsOf = ({ world, host, there }: Joining) =>
  [world.store.get('host', host), there.store.get('host', there.pool.master)] as const;

function assertCompatible(joining: Joining): void {
  const [mine, theirs] = hostsOf(joining).map(({ software_version: version }) => version);
  for (const key of ['platform_version', 'product_brand'])
    if (mine?.[key] !== theirs?.[key]) throw new XapiError('HOSTS_NOT_COMPATIBLE');
}

function assertSameCpus(joining: Joining): void {
  const [mine, theirs] = hostsOf(joining);
  if (mine.cpu_info['vendor'] !== theirs.cpu_info['vendor'])
    throw new XapiError('HOSTS_NOT_HOMOGENEOUS', 'CPUs differ');
}

function assertNoSharedStorage({ world }: Joining): void {
  if (world.store.records('SR').some(([, sr]) => sr.shared && !sr.is_tools_sr))
    throw new XapiError('JOINING_HOST_CANNOT_CONTAIN_SHARED_SRS');
}

function assertPlainNetworks({ world }: Joining): void {
  if (world.store.count('Bond') > 0) throw new XapiError('POOL_JOINING_HOST_HAS_BONDS');
  if (world.store.count('tunnel') > 0) throw new XapiError('POOL_JOINING_HOST_HAS_TUNNELS');
  const isManagement = (pif: string) => world.store.get('PIF', pif).management;
  if (world.store.records('VLAN').some(([, vlan]) => !isManagement(vlan.untagged_PIF)))
    throw new XapiError('POOL_JOINING_HOST_HAS_NON_MANAGEMENT_VLANS');
}

function assertSameManagementVlan({ world, host, there }: Joining): void {
  const mine = world.store.get('PIF', managementPif(world, host)).VLAN;
  const theirs = there.store.get('PIF', managementPif(there, there.pool.master)).VLAN;
  if (mine !== theirs)
    throw new XapiError('POOL_JOINING_HOST_MANAGEMENT_VLAN_DOES_NOT_MATCH', String(mine), String(theirs));
}

function assertSameDirectory(joining: Joining): void {
  const [mine, theirs] = hostsOf(joining).map((host) => [host.external_auth_type, host.external_auth_service_name]);
  if (mine?.join('/') !== theirs?.join('/')) throw new XapiError('POOL_JOINING_EXTERNAL_AUTH_MISMATCH');
}

/** Any host's that differs counts: the lab has no licence server to tell which edition is the lesser one. */
function assertSameEdition({ world, host, there }: Joining): void {
  const { edition: mine } = world.store.get('host', host);
  const theirs = there.store.records('host').map(([, { edition }]) => edition);
  const other = theirs.find((edition) => edition !== mine);
  if (other !== undefined)
    throw new XapiError('LICENSE_HOST_POOL_MISMATCH', `host edition = "${mine}"`, `pool edition = "${other}"`);
}

function assertSameSwitch(joining: Joining): void {
  const [mine, theirs] = hostsOf(joining).map((host) => host.software_version['network_backend']);
  if (mine !== theirs) throw new XapiError('OPERATION_NOT_ALLOWED', 'Network backends differ');
  const controllers = [joining.world, joining.there].map(({ store }) => store.records('SDN_controller')[0]?.[1]);
  const [here, there] = controllers.map((one) => one && [one.protocol, one.address, one.port].join());
  if (here !== undefined && here !== there) throw new XapiError('OPERATION_NOT_ALLOWED', 'SDN controller differs');
}

function assertSameSchema(joining: Joining): void {
  const [mine, theirs] = hostsOf(joining).map((host) => host.software_version['db_schema'] ?? '');
  if (mine !== theirs) throw new XapiError('POOL_JOINING_HOST_MUST_HAVE_SAME_DB_SCHEMA', mine ?? '', theirs ?? '');
}

function assertSameAddressType({ world, host, there }: Joining): void {
  const mine = world.store.get('PIF', managementPif(world, host)).primary_address_type;
  const theirs = there.store.get('PIF', managementPif(there, there.pool.master)).primary_address_type;
  if (mine !== theirs) throw new XapiError('OPERATION_NOT_ALLOWED', 'Primary address type differs');
}

function assertSamePurposes({ world, there }: Joining): void {
  const [mine, theirs] = [world, there].map(
    ({ store }) => store.records('network').flatMap(([, { purpose }]) => purpose)[0],
  );
  if (mine !== undefined && theirs !== undefined && mine !== theirs)
    throw new XapiError('OPERATION_NOT_ALLOWED', 'Incompatible network purposes: nbd and insecure_nbd');
}

function assertSameVerification({ world, there }: Joining): void {
  const [mine, theirs] = [world, there].map(({ store, pool }) => store.get('pool', pool.ref).tls_verification_enabled);
  if (mine !== theirs) throw new XapiError('POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH');
}

function assertSameApi(joining: Joining): void {
  const [mine, theirs] = hostsOf(joining).map((host) => `${host.API_version_major}.${host.API_version_minor}`);
  if (mine !== theirs) throw new XapiError('POOL_JOINING_HOST_MUST_HAVE_SAME_API_VERSION', mine ?? '', theirs ?? '');
}

/** Uuids of the patches and updates that a host has and that all of its pool have to have. */
function updatesOf({ store }: World, host: string): string {
  const { updates, patches } = store.get('host', host);
  const enforced = updates.map((ref) => store.get('pool_update', ref)).filter((update) => update.enforce_homogeneity);
  const patched = patches.map((ref) => store.get('pool_patch', store.get('host_patch', ref).pool_patch));
  return [...new Set([...enforced, ...patched].map(({ uuid }) => uuid))].sort().join();
}

function assertSameUpdates(joining: Joining): void {
  const { world, host, there } = joining;
  if (updatesOf(world, host) === updatesOf(there, there.pool.master)) return;
  const [mine, theirs] = hostsOf(joining).map(({ name_label: name }) => name);
  throw new XapiError('HOSTS_NOT_HOMOGENEOUS', `Updates on local host ${mine} and pool host ${theirs} differ`);
}

/** In the daemon's order (xen-api, ocaml/xapi/xapi_pool.ml); what only differing hosts do wrong can be forced. */
const checks: readonly { readonly check: Check; readonly canBeForced?: true }[] = [
  { check: assertHasManagementInterface },
  { check: assertNoHaHere },
  { check: assertNoClusterHere },
  { check: assertNoHaThere },
  { check: assertOtherPool },
  { check: assertAlone },
  { check: assertVmsAtRest },
  { check: assertCompatible },
  { check: assertSameCpus, canBeForced: true },
  { check: assertNoSharedStorage },
  { check: assertPlainNetworks },
  { check: assertSameManagementVlan },
  { check: assertSameDirectory },
  { check: assertSameEdition },
  { check: assertSameSwitch },
  { check: assertSameApi },
  { check: assertSameSchema },
  { check: assertSameUpdates },
  { check: assertSameAddressType },
  { check: assertSamePurposes },
  { check: assertSameVerification },
];

/** Throws the first official reason why the host cannot become a member. */
export function assertCanJoin(joining: Joining, force: boolean): void {
  for (const { check, canBeForced = false } of checks) if (!(force && canBeForced)) check(joining);
}
