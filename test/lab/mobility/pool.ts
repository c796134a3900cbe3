import type { PoolScenario, VmScenario } from '../../../lab/scenario.ts';
import { defaultPool } from '../../../lab/scenario.ts';
import type { World } from '../../../lab/world/world.ts';
import type { RawClient } from '../raw-client.ts';
import { byName } from '../with-lab.ts';

export const gib = 2 ** 30;

/** A VM on the first host, with a disk on the shared storage. */
export const vmOf = (name: string, more: Partial<VmScenario> = {}): VmScenario => ({
  name,
  host: 'ams1-h1',
  memoryBytes: 2 * gib,
  vcpus: 2,
  disks: [{ sr: 'shared', sizeBytes: 10 * gib }],
  networks: ['tenant'],
  ...more,
});

/** The usual pool with these VMs. */
export const poolWith = (vms: readonly VmScenario[]): readonly PoolScenario[] => [{ ...defaultPool(), vms }];

/** The references of the VMs named, and of the three hosts. */
export async function refsOf(client: RawClient, ...names: readonly string[]) {
  const vms = await Promise.all(names.map((name) => byName(client, 'VM', name)));
  const hosts = await Promise.all(['ams1-h1', 'ams1-h2', 'ams1-h3'].map((name) => byName(client, 'host', name)));
  const [h1 = '', h2 = '', h3 = ''] = hosts;
  return { vms, h1, h2, h3 };
}

export const homeOf = (client: RawClient, vm: string) => client.call('VM.get_resident_on', vm);

/** From now on no VM's memory ever arrives: a move ends by being cancelled only. */
export function stopMoves({ latency }: World): void {
  const spend = latency.spend.bind(latency);
  latency.spend = (work, signal, share) =>
    work === 'migrate'
      ? new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
      : spend(work, signal, share);
}
