import { createHash } from 'node:crypto';
import type { Records } from '../model/records.ts';
import { uuidFrom } from '../world/identities.ts';
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

const roles: Readonly<Record<string, string>> = {
  'pool-admin': 'May do everything.',
  'pool-operator': 'May manage hosts, storage and networks.',
  'vm-power-admin': 'May create, place, move and snapshot VMs.',
  'vm-admin': 'May create and manage VMs and templates.',
  'vm-operator': 'May use VMs and their consoles.',
  'read-only': 'May look at everything.',
};

/**
 * Every pool has the same roles, their uuids made from their names (gen_rbac.ml). Their permissions, one for each message and
 * thousands in all, are left out.
 */
function createRoles({ store }: World): void {
  for (const [name, description] of Object.entries(roles)) {
    const uuid = uuidFrom(createHash('md5').update(name).digest());
    store.create('role', { uuid, name_label: name, name_description: description }, `OpaqueRef:${uuid}`);
  }
}

/** The object of a pool that has its hosts already, and what every pool has. An installation keeps the memory of suspended VMs where its disks go. */
export function createPool(world: World, about: Pick<Records['pool'], 'name_label' | 'master' | 'default_SR'>): void {
  createRoles(world);
  world.store.create('pool', {
    ...about,
    suspend_image_SR: about.default_SR,
    crash_dump_SR: about.default_SR,
    repositories: world.vendor.hash === '' ? [] : createRepositories(world),
    other_config: { 'memory-ratio-hvm': '0.25', 'memory-ratio-pv': '0.25' },
  });
}
