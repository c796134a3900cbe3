import type { Call, Handlers } from '../dispatch/call.ts';
import { formatDate, never } from '../world/dates.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';

const isUrl = (text: string): boolean => /^https?:\/\/[^/]+/.test(text);

function introduce(
  world: World,
  name: string,
  description: string,
  binary: string,
  source: string,
  update: boolean,
  gpgKey: string,
): string {
  for (const url of [binary, source]) if (url !== '' && !isUrl(url)) throw new XapiError('INVALID_BASE_URL', url);
  const same = world.store
    .records('Repository')
    .find(([, record]) => record.name_label === name || record.binary_url === binary);
  if (same !== undefined) throw new XapiError('REPOSITORY_ALREADY_EXISTS', same[0]);
  return world.store.create('Repository', {
    name_label: name,
    name_description: description,
    binary_url: binary,
    source_url: source,
    update,
    gpgkey_path: gpgKey,
  });
}

const enabledIn = (world: World): readonly string[] => world.store.get('pool', world.pool.ref).repositories;

/** What was synced from other repositories says nothing any more. Throws HANDLE_INVALID. */
function setRepositories(world: World, wanted: readonly string[]): void {
  for (const ref of wanted) world.store.get('Repository', ref);
  assertIdle(world);
  const before = enabledIn(world);
  if (wanted.length === before.length && wanted.every((ref) => before.includes(ref))) return;
  for (const ref of new Set([...before, ...wanted])) world.store.update('Repository', ref, { hash: '' });
  world.store.update('pool', world.pool.ref, { repositories: wanted, last_update_sync: never });
  for (const host of world.store.refs('host'))
    world.store.update('host', host, { latest_synced_updates_applied: 'unknown' });
}

/** The repository that updates come from. Throws NO_REPOSITORY_ENABLED, MULTIPLE_UPDATE_REPOSITORIES_ENABLED. */
export function updateRepository(world: World): string {
  const enabled = enabledIn(world).filter((ref) => world.store.get('Repository', ref).update);
  const [first, second] = enabled;
  if (first === undefined) throw new XapiError('NO_REPOSITORY_ENABLED');
  if (second !== undefined) throw new XapiError('MULTIPLE_UPDATE_REPOSITORIES_ENABLED');
  return first;
}

/** Throws SYNC_UPDATES_IN_PROGRESS, APPLY_UPDATES_IN_PROGRESS: work on updates does not wait for other such work, it fails. */
function assertIdle(world: World): void {
  const { current_operations: current } = world.store.get('pool', world.pool.ref);
  const [busy] = Object.values(current).filter((name) => name === 'sync_updates' || name === 'apply_updates');
  if (busy !== undefined) throw new XapiError(`${busy.toUpperCase()}_IN_PROGRESS`);
}

/** Work of the pool that others see in its current_operations, and that excludes other work on updates. */
export async function exclusively<T>(call: Call, name: string, work: () => Promise<T>): Promise<T> {
  const { world } = call;
  assertIdle(world);
  const { current_operations: before } = world.store.get('pool', world.pool.ref);
  world.store.update('pool', world.pool.ref, { current_operations: { ...before, [call.operationId]: name } });
  try {
    return await work();
  } finally {
    const { [call.operationId]: _ended, ...others } = world.store.get('pool', world.pool.ref).current_operations;
    world.store.update('pool', world.pool.ref, { current_operations: others });
  }
}

function isUpToDate(world: World, host: string): boolean {
  const { last_update_hash: installed } = world.store.get('host', host);
  const { hash } = world.store.get('Repository', updateRepository(world));
  return world.vendor.between(installed, hash).length === 0;
}

async function sync(call: Call): Promise<string> {
  const { world } = call;
  if (enabledIn(world).length === 0) throw new XapiError('NO_REPOSITORIES_CONFIGURED');
  const repository = updateRepository(world);
  await world.latency.spend('syncUpdates', call.signal);
  const { hash } = world.vendor;
  world.store.update('Repository', repository, { hash });
  for (const host of world.store.refs('host')) {
    const state = isUpToDate(world, host) ? 'yes' : 'no';
    world.store.update('host', host, { latest_synced_updates_applied: state });
  }
  world.store.update('pool', world.pool.ref, { last_update_sync: formatDate(Date.now()) });
  return hash;
}

function forget(world: World, repository: string): void {
  if (enabledIn(world).includes(repository)) throw new XapiError('REPOSITORY_IS_IN_USE');
  world.store.destroy('Repository', repository);
}

/** Where the hosts of XenServer 8.4 and later get their updates from. */
export const repositoryBehaviour: Handlers = {
  'Repository.introduce': ({ world }, name, description, binary, source, update, gpgKey = '') =>
    introduce(world, name, description, binary, source, update, gpgKey),
  'Repository.forget': ({ world }, repository) => forget(world, repository),
  'pool.set_repositories': ({ world }, _pool, repositories) => setRepositories(world, repositories),
  'pool.add_repository': ({ world }, _pool, repository) =>
    setRepositories(world, [...new Set([...enabledIn(world), repository])]),
  'pool.remove_repository': ({ world }, _pool, repository) =>
    setRepositories(
      world,
      enabledIn(world).filter((ref) => ref !== repository),
    ),
  'pool.sync_updates': (call) => exclusively(call, 'sync_updates', () => sync(call)),
};
