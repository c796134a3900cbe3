import { describe } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { namespaceTrouble } from '../../../lab/netns/requirements.ts';
import type { RawClient } from '../raw-client.ts';
import { byName } from '../with-lab.ts';
import { eventually } from '../../support/eventually.ts';
import { driveWith } from '../guests/boot.ts';
import type { Files } from '../guests/drives.ts';

/** A chapter that needs namespace guests: skipped where this machine cannot have them, failed there in CI. */
export function describeNamespaces(name: string, chapter: () => void): void {
  const trouble = namespaceTrouble();
  if (trouble !== undefined && process.env['CI'] === 'true') throw new Error(trouble);
  (trouble === undefined ? describe : describe.skip)(name, chapter);
}

export interface Deployment {
  readonly name: string;
  readonly template: string;
  /** Names; the first one is of the guest's eth0. */
  readonly networks: readonly string[];
  readonly cloudConfig: object;
  readonly networkConfig?: string;
}

/** The ordinary way through XAPI: clone, provision, interfaces, config drive, start. Gives the VM's reference. */
export async function deployGuest(client: RawClient, deployment: Deployment): Promise<string> {
  const { name, template, networks, cloudConfig, networkConfig } = deployment;
  const vm = await client.call('VM.clone', await byName(client, 'VM', template), name);
  await client.call('VM.provision', vm);
  for (const vif of await client.call<string[]>('VM.get_VIFs', vm)) await client.call('VIF.destroy', vif);
  for (const [index, network] of networks.entries()) {
    await client.call('VIF.create', {
      ...{ VM: vm, network: await byName(client, 'network', network), device: String(index), MAC: '', MTU: 1500 },
      ...{ other_config: {}, qos_algorithm_type: '', qos_algorithm_params: {} },
    });
  }
  const files: Files = networkConfig === undefined ? {} : { 'network-config': networkConfig };
  await attachDrive(client, vm, driveWith({ hostname: name, ...cloudConfig }, files));
  await client.call('VM.start', vm, false, false);
  return vm;
}

async function attachDrive(client: RawClient, vm: string, drive: Buffer): Promise<void> {
  const sr = await byName(client, 'SR', 'shared');
  const about = { name_label: 'config drive', type: 'user', sharable: false, read_only: false, other_config: {} };
  const vdi = await client.call('VDI.create', { SR: sr, virtual_size: drive.length, ...about });
  const response = await fetch(`${client.url}/import_raw_vdi?vdi=${vdi}&format=raw&session_id=${client.session}`, {
    method: 'PUT',
    body: drive,
  });
  await response.arrayBuffer();
  await client.call('VBD.create', {
    ...{ VM: vm, VDI: vdi, userdevice: '1', bootable: false, mode: 'RO', type: 'Disk', unpluggable: true },
    ...{ empty: false, other_config: {}, qos_algorithm_type: '', qos_algorithm_params: {} },
  });
}

/** What guest metrics say of the addresses, as soon as they say it. */
export async function networksWith(client: RawClient, vm: string, key: string): Promise<Record<string, string>> {
  const read = async (): Promise<Record<string, string>> => {
    const metrics = await client.call('VM.get_guest_metrics', vm);
    return metrics === 'OpaqueRef:NULL' ? {} : client.call('VM_guest_metrics.get_networks', metrics);
  };
  return eventually(read, (networks) => networks[key] !== undefined, `guest metrics show ${key}`);
}

/** The namespaces of the machine that belong to the lab with this mark. */
export function namespacesOf(mark: string): string[] {
  return ipNetns('list')
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((name) => name.startsWith(`${mark}-`));
}

/** Their pids, a line each. */
export function processesIn(namespace: string): string {
  return ipNetns('pids', namespace);
}

/** Its folder is not on everybody's PATH. */
function ipNetns(...args: readonly string[]): string {
  return execFileSync('ip', ['netns', ...args], { encoding: 'utf8', env: { PATH: '/usr/sbin:/sbin:/usr/bin:/bin' } });
}
