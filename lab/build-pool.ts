import { buildVms, vmDefaults } from './build-vms.ts';
import { createPif } from './behaviour/network.ts';
import { createPool } from './behaviour/pool-object.ts';
import { createSr } from './behaviour/sr.ts';
import { createVbd } from './behaviour/vbd.ts';
import { createVdi } from './behaviour/vdi.ts';
import { createVif } from './behaviour/vif.ts';
import { refreshFreeMemory } from './behaviour/memory.ts';
import { setPatchSpace } from './patching/precheck.ts';
import type { HostScenario, NetworkScenario, PoolScenario, SrScenario, TemplateScenario } from './scenario.ts';
import { formatDate } from './world/dates.ts';
import { isolatedKey } from './world/guests.ts';
import { nullRef } from './world/identities.ts';
import type { World } from './world/world.ts';

const mib = 2 ** 20;
const hostOverheadBytes = 512 * mib;
const controlDomainBytes = 2048 * mib;

const cpuInfo = (cpus: number) => ({
  cpu_count: String(cpus),
  socket_count: '1',
  threads_per_core: '1',
  vendor: 'GenuineIntel',
  speed: '2400.000',
  modelname: 'Lab CPU',
  family: '6',
  model: '85',
  stepping: '7',
});

function buildControlDomain(world: World, host: string, name: string): string {
  return world.store.create('VM', {
    ...vmDefaults,
    name_label: `Control domain on host: ${name}`,
    is_control_domain: true,
    power_state: 'Running',
    resident_on: host,
    domid: 0,
    memory_target: controlDomainBytes,
    memory_static_max: controlDomainBytes,
    memory_dynamic_max: controlDomainBytes,
    memory_dynamic_min: controlDomainBytes,
    memory_static_min: controlDomainBytes,
    VCPUs_max: 4,
    VCPUs_at_startup: 4,
    metrics: world.store.create('VM_metrics', { VCPUs_number: 4, memory_actual: controlDomainBytes }),
  });
}

function buildHost(world: World, scenario: HostScenario, address: string): string {
  const { name, memoryBytes, cpus, patchSpaceBytes } = scenario;
  const startedAt = `${Math.floor(Date.now() / 1000)}.`;
  const metrics = world.store.create('host_metrics', {
    memory_total: memoryBytes,
    live: true,
    last_updated: formatDate(Date.now()),
  });
  const host = world.store.create('host', {
    name_label: name,
    name_description: 'Default install',
    hostname: name,
    address,
    metrics,
    memory_overhead: hostOverheadBytes,
    enabled: true,
    API_version_major: world.product.apiVersion[0],
    API_version_minor: world.product.apiVersion[1],
    API_version_vendor: 'XenSource',
    software_version: world.product.softwareVersion,
    other_config: { agent_start_time: startedAt, boot_time: startedAt },
    cpu_info: cpuInfo(cpus),
    edition: world.product.edition,
    sched_policy: 'credit',
    supported_bootloaders: ['pygrub', 'eliloader'],
    virtual_hardware_platform_versions: [0, 1, 2],
    tls_verification_enabled: false,
    https_only: false,
    ssh_enabled: true,
  });
  for (let number = 0; number < cpus; number++) {
    world.store.create('host_cpu', {
      host,
      number,
      vendor: 'GenuineIntel',
      speed: 2400,
      modelname: 'Lab CPU',
      family: 6,
      model: 85,
    });
  }
  world.store.update('host', host, { control_domain: buildControlDomain(world, host, name) });
  if (patchSpaceBytes !== undefined) setPatchSpace(world, host, patchSpaceBytes);
  refreshFreeMemory(world, host);
  return host;
}

function buildSr(world: World, sr: SrScenario, hosts: ReadonlyMap<string, string>): string {
  const shared = sr.hosts.length > 1;
  const device: Record<string, string> = shared
    ? { server: '192.0.2.50', serverpath: `/srv/${sr.name}` }
    : { device: '/dev/sda3' };
  return createSr(
    world,
    { name_label: sr.name, type: shared ? 'nfs' : 'ext', shared, physical_size: sr.sizeBytes },
    sr.hosts.map((name) => ({ host: hosts.get(name) ?? nullRef, device })),
  );
}

/** The first network is the one on which the hosts are managed. */
function buildNetwork(
  world: World,
  { name, hosts: names, isolated = false }: NetworkScenario,
  index: number,
  hosts: ReadonlyMap<string, string>,
): string {
  const settings: Record<string, string> = isolated ? { [isolatedKey]: 'true' } : {};
  const network = world.store.create('network', {
    name_label: name,
    bridge: `xenbr${index}`,
    MTU: 1500,
    other_config: settings,
  });
  for (const hostName of names) {
    const host = hosts.get(hostName) ?? nullRef;
    const managementAddress = index === 0 ? world.store.get('host', host).address : undefined;
    createPif(world, { device: `eth${index}`, network, host, managementAddress });
  }
  return network;
}

function buildTemplate(
  world: World,
  template: TemplateScenario,
  srs: ReadonlyMap<string, string>,
  networks: ReadonlyMap<string, string>,
): void {
  const { memoryBytes } = template;
  const vm = world.store.create('VM', {
    ...vmDefaults,
    name_label: template.name,
    name_description: 'Debian 12 cloud image',
    is_a_template: true,
    memory_static_max: memoryBytes,
    memory_dynamic_max: memoryBytes,
    memory_dynamic_min: memoryBytes,
    memory_static_min: memoryBytes / 2,
    VCPUs_max: template.vcpus,
    VCPUs_at_startup: template.vcpus,
    other_config: {
      'install-methods': 'cdrom,nfs,http,ftp',
      linux_template: 'true',
      mac_seed: world.identities.uuid(),
    },
    metrics: world.store.create('VM_metrics', {}),
  });
  const sr = srs.get(template.sr) ?? nullRef;
  const vdi = createVdi(world, {
    SR: sr,
    virtual_size: template.diskBytes,
    name_label: `${template.name} boot disk`,
    type: 'system',
  });
  createVbd(world, { VM: vm, VDI: vdi, userdevice: '0', bootable: true, mode: 'RW', type: 'Disk', unpluggable: false });
  createVif(world, { VM: vm, network: networks.get(template.network) ?? nullRef, device: '0', MAC: '', MTU: 1500 });
}

/** Fills an empty world with a pool; `addresses` are the hosts', in their order. */
export function buildPool(world: World, scenario: PoolScenario, addresses: readonly string[]): void {
  const hosts = new Map(scenario.hosts.map((host, at) => [host.name, buildHost(world, host, addresses[at] ?? '')]));
  const srs = new Map(scenario.srs.map((sr) => [sr.name, buildSr(world, sr, hosts)]));
  const networks = new Map(
    scenario.networks.map((network, at) => [network.name, buildNetwork(world, network, at, hosts)]),
  );
  const [coordinator = nullRef] = hosts.values();
  const [defaultSr = nullRef] = srs.values();
  createPool(world, { name_label: scenario.id, master: coordinator, default_SR: defaultSr });
  for (const template of scenario.templates) buildTemplate(world, template, srs, networks);
  buildVms(world, scenario.vms ?? [], { hosts, srs, networks });
}
