import type { PoolScenario, VmScenario } from '../../../lab/scenario.ts';

const gib = 2 ** 30;

/** On the disk of the host that `alone` makes. */
export const haltedVm: VmScenario = {
  name: 'web',
  memoryBytes: gib,
  vcpus: 1,
  disks: [{ sr: 'lone-disk', sizeBytes: gib }],
  networks: ['tenant'],
};

/** A host that is a pool of its own, with a disk in it and a halted VM. */
export const alone = (id = 'lone', more: Partial<PoolScenario> = {}): PoolScenario => ({
  id,
  user: 'root',
  password: 'other-password',
  hosts: [{ name: 'lone-h1', memoryBytes: 16 * gib, cpus: 8 }],
  srs: [{ name: 'lone-disk', sizeBytes: 100 * gib, hosts: ['lone-h1'] }],
  networks: [{ name: 'tenant', hosts: ['lone-h1'] }],
  templates: [],
  vms: [haltedVm],
  ...more,
});
