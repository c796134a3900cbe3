import type { Records } from '../model/records.ts';
import type { World } from '../world/world.ts';

/** The vendor's two repositories, as an installation comes with them: one of the release, one of its updates. */
function createRepositories(world: World): string[] {
  return ['base', 'normal'].map((name) =>
    world.store.create('Repository', {
      name_label: name === 'base' ? 'Base' : 'Normal',
      binary_url: `https://repo.example.com/8.4/${name}`,
      source_url: `https://repo-src.example.com/8.4/${name}`,
      update: name === 'normal',
    }),
  );
}

/** The object of a pool that has its hosts already. An installation keeps the memory of suspended VMs where its disks go. */
export const createPool = (
  world: World,
  about: Pick<Records['pool'], 'name_label' | 'master' | 'default_SR'>,
): string =>
  world.store.create('pool', {
    ...about,
    suspend_image_SR: about.default_SR,
    crash_dump_SR: about.default_SR,
    repositories: world.vendor.hash === '' ? [] : createRepositories(world),
    other_config: { 'memory-ratio-hvm': '0.25', 'memory-ratio-pv': '0.25' },
  });
