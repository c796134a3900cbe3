import { refreshFreeMemory } from './behaviour/memory.ts';
import { createVbd } from './behaviour/vbd.ts';
import { createVdi } from './behaviour/vdi.ts';
import { createVif } from './behaviour/vif.ts';
import { guestReport } from './behaviour/guest-lifecycle.ts';
import { markRunning } from './behaviour/vm-power.ts';
import type { VmScenario } from './scenario.ts';
import { nullRef } from './world/identities.ts';
import type { World } from './world/world.ts';

/** References by the names that the scenario uses. */
export interface Named {
  readonly hosts: ReadonlyMap<string, string>;
  readonly srs: ReadonlyMap<string, string>;
  readonly networks: ReadonlyMap<string, string>;
}

/** What a VM record needs that has no initial value of its own in the data model. */
export const vmDefaults = {
  user_version: 1,
  actions_after_shutdown: 'destroy',
  actions_after_reboot: 'restart',
  actions_after_crash: 'restart',
  HVM_boot_policy: 'BIOS order',
  HVM_boot_params: { order: 'cdn', firmware: 'bios' },
  platform: { acpi: '1', apic: 'true', pae: 'true', nx: 'true', 'cores-per-socket': '1' },
  affinity: nullRef,
  domid: -1,
  hardware_platform_version: 2,
  domain_type: 'hvm',
} as const;

/** Throws when the scenario names something that is not in it. */
function named(known: ReadonlyMap<string, string>, kind: string, name: string, vm: string): string {
  const ref = known.get(name);
  if (ref === undefined)
    throw new Error(`VM ${vm} of the scenario names the ${kind} ${name}, which is not in its pool`);
  return ref;
}

/** The host's device of that id; a scenario names it where it is used only. */
function pciDevice(world: World, host: string, id: string): string {
  const known = world.store.get('host', host).PCIs.find((pci) => world.store.get('PCI', pci).pci_id === id);
  return (
    known ?? world.store.create('PCI', { host, pci_id: id, class_name: 'Co-processor', device_name: 'Lab device' })
  );
}

function createVm(world: World, about: VmScenario): string {
  const { name, memoryBytes, vcpus, pinnedPciIds = [], haRestartPriority = '', tags = [] } = about;
  const pci = pinnedPciIds.map((id, at) => `${at}/${id}`).join(',');
  return world.store.create('VM', {
    ...vmDefaults,
    name_label: name,
    memory_static_max: memoryBytes,
    memory_dynamic_max: memoryBytes,
    memory_dynamic_min: memoryBytes,
    memory_static_min: memoryBytes / 2,
    VCPUs_max: vcpus,
    VCPUs_at_startup: vcpus,
    ha_restart_priority: haRestartPriority,
    ha_always_run: haRestartPriority === 'restart',
    tags,
    other_config: { mac_seed: world.identities.uuid(), ...(pci === '' ? {} : { pci }) },
    metrics: world.store.create('VM_metrics', {}),
  });
}

function addDisks(world: World, vm: string, { name, disks }: VmScenario, { srs }: Named): void {
  disks.forEach(({ sr, sizeBytes }, at) => {
    const about = { name_label: `${name} disk ${at}`, type: at === 0 ? 'system' : 'user' };
    const vdi = createVdi(world, { SR: named(srs, 'SR', sr, name), virtual_size: sizeBytes, ...about });
    createVbd(world, { VM: vm, VDI: vdi, userdevice: String(at), bootable: at === 0, mode: 'RW', type: 'Disk' });
  });
}

/** An address that the guest says it has until it has booted; none answers there. */
const silentAddress = (number: number): string => `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;

function run(world: World, vm: string, about: VmScenario, host: string): void {
  for (const id of about.pinnedPciIds ?? []) pciDevice(world, host, id);
  markRunning(world, vm, host, 'Running');
  if (about.guestTools === false) return;
  const address = silentAddress(world.store.get('VM', vm).domid);
  const report = guestReport({ '0/ip': address, '0/ipv4/0': address });
  world.store.update('VM', vm, { guest_metrics: world.store.create('VM_guest_metrics', report) });
}

/** VMs as they would be some time after they were deployed, without the deployment. */
export function buildVms(world: World, vms: readonly VmScenario[], known: Named): void {
  for (const about of vms) {
    const vm = createVm(world, about);
    addDisks(world, vm, about, known);
    about.networks.forEach((name, at) => {
      const network = named(known.networks, 'network', name, about.name);
      createVif(world, { VM: vm, network, device: String(at), MAC: '', MTU: 1500 });
    });
    if (about.host !== undefined) run(world, vm, about, named(known.hosts, 'host', about.host, about.name));
  }
  for (const host of known.hosts.values()) refreshFreeMemory(world, host);
}
