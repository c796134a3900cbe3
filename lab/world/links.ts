import type { Value } from '../model/types.ts';
import type { ClassName, Records } from '../model/records.ts';

/** A field of one class that names an object of another, or several of them, and the set over there that lists the namers. */
export interface Link {
  readonly from: ClassName;
  readonly field: string;
  readonly to: ClassName;
  readonly set: string;
}

function link<F extends ClassName, T extends ClassName>(
  from: F,
  field: keyof Records[F] & string,
  to: T,
  set: keyof Records[T] & string,
): Link {
  return { from, field, to, set };
}

/** The sets are never written by behaviours: the store keeps them, so that both directions always agree. */
export const links: readonly Link[] = [
  link('VBD', 'VM', 'VM', 'VBDs'),
  link('VBD', 'VDI', 'VDI', 'VBDs'),
  link('VIF', 'VM', 'VM', 'VIFs'),
  link('VIF', 'network', 'network', 'VIFs'),
  link('VDI', 'SR', 'SR', 'VDIs'),
  link('VDI', 'snapshot_of', 'VDI', 'snapshots'),
  link('PBD', 'SR', 'SR', 'PBDs'),
  link('PBD', 'host', 'host', 'PBDs'),
  link('PIF', 'host', 'host', 'PIFs'),
  link('PIF', 'network', 'network', 'PIFs'),
  link('VM', 'resident_on', 'host', 'resident_VMs'),
  link('VM', 'snapshot_of', 'VM', 'snapshots'),
  link('VM', 'parent', 'VM', 'children'),
  link('VM', 'appliance', 'VM_appliance', 'VMs'),
  link('VM', 'snapshot_schedule', 'VMSS', 'VMs'),
  link('VM', 'protection_policy', 'VMPP', 'VMs'),
  link('console', 'VM', 'VM', 'consoles'),
  link('crashdump', 'VM', 'VM', 'crash_dumps'),
  link('VTPM', 'VM', 'VM', 'VTPMs'),
  link('VGPU', 'VM', 'VM', 'VGPUs'),
  link('VUSB', 'VM', 'VM', 'VUSBs'),
  link('VM', 'groups', 'VM_group', 'VMs'),
  link('PGPU', 'GPU_group', 'GPU_group', 'PGPUs'),
  link('VGPU', 'GPU_group', 'GPU_group', 'VGPUs'),
  link('host_cpu', 'host', 'host', 'host_CPUs'),
  link('host_crashdump', 'host', 'host', 'crashdumps'),
  link('host_patch', 'host', 'host', 'patches'),
  link('host_patch', 'pool_patch', 'pool_patch', 'host_patches'),
  link('PCI', 'host', 'host', 'PCIs'),
  link('PGPU', 'host', 'host', 'PGPUs'),
  link('PUSB', 'host', 'host', 'PUSBs'),
  link('PUSB', 'USB_group', 'USB_group', 'PUSBs'),
  link('VUSB', 'USB_group', 'USB_group', 'VUSBs'),
  link('PVS_server', 'site', 'PVS_site', 'servers'),
  link('PVS_proxy', 'site', 'PVS_site', 'proxies'),
  link('PVS_cache_storage', 'site', 'PVS_site', 'cache_storage'),
  link('Cluster_host', 'cluster', 'Cluster', 'cluster_hosts'),
  link('Driver_variant', 'driver', 'Host_driver', 'variants'),
  link('Feature', 'host', 'host', 'features'),
  link('Certificate', 'host', 'host', 'certificates'),
  link('Bond', 'master', 'PIF', 'bond_master_of'),
  link('PIF', 'bond_slave_of', 'Bond', 'slaves'),
  link('tunnel', 'access_PIF', 'PIF', 'tunnel_access_PIF_of'),
  link('tunnel', 'transport_PIF', 'PIF', 'tunnel_transport_PIF_of'),
  link('VLAN', 'tagged_PIF', 'PIF', 'VLAN_slave_of'),
  link('task', 'subtask_of', 'task', 'subtasks'),
];

/** Whether the field is kept by the store, from the references on the other side. */
export const isLinkSet = (cls: string, field: string): boolean =>
  links.some(({ to, set }) => to === cls && set === field);

/** The references in a field that holds one or a set of them. */
export function targetsOf(value: Value | undefined): readonly string[] {
  if (Array.isArray(value)) return value as readonly string[];
  return typeof value === 'string' ? [value] : [];
}
