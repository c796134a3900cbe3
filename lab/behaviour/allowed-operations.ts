import type { RecordValue } from '../model/types.ts';
import { asText } from '../model/types.ts';
import { nullRef } from '../world/identities.ts';
import type { Derivations } from '../world/derivations.ts';
import type { Store } from '../world/store.ts';
import { excludeOnHost } from '../world/operations.ts';
import { memoryOverheadBytes } from './memory.ts';

/** In the order in which the genuine daemon lists them. */
const always = [
  'changing_NVRAM',
  'changing_shadow_memory',
  'changing_static_range',
  'changing_dynamic_range',
  'migrate_send',
];
export const templateOperations: readonly string[] = [
  'destroy',
  'metadata_export',
  'export',
  ...always,
  'provision',
  'copy',
  'clone',
];
export const snapshotOperations: readonly string[] = [
  'destroy',
  'metadata_export',
  'export',
  'revert',
  'copy',
  'clone',
];
const halted = [
  ...['create_vtpm', 'destroy', 'metadata_export', 'export', 'make_into_template'],
  ...[...always, 'start_on', 'start', 'copy', 'clone', 'snapshot'],
];
const running = [
  ...[
    'sysprep',
    'metadata_export',
    'changing_VCPUs_live',
    'changing_dynamic_range',
    'migrate_send',
    'pool_migrate',
    'suspend',
  ],
  ...['hard_reboot', 'hard_shutdown', 'clean_reboot', 'clean_shutdown', 'pause', 'checkpoint', 'snapshot'],
];
/** What a VM can do only through an agent inside of it. */
const needsGuestAgent: ReadonlySet<string> = new Set([
  ...['sysprep', 'changing_VCPUs_live', 'changing_dynamic_range', 'migrate_send', 'pool_migrate', 'suspend'],
  ...['clean_reboot', 'clean_shutdown', 'checkpoint'],
]);
const paused = ['metadata_export', 'hard_reboot', 'hard_shutdown', 'unpause', 'checkpoint', 'snapshot'];
const suspended = [
  ...[
    'destroy',
    'metadata_export',
    'export',
    'migrate_send',
    'resume_on',
    'resume',
    'hard_shutdown',
    'checkpoint',
    'snapshot',
  ],
];

function vmOperations(vm: RecordValue): readonly string[] {
  if (vm['is_control_domain'] === true) return ['changing_dynamic_range'];
  if (vm['is_a_snapshot'] === true) return snapshotOperations;
  if (vm['is_a_template'] === true) return templateOperations;
  if (vm['power_state'] === 'Running') {
    return vm['guest_metrics'] === nullRef ? running.filter((name) => !needsGuestAgent.has(name)) : running;
  }
  if (vm['power_state'] === 'Paused') return paused;
  return vm['power_state'] === 'Suspended' ? suspended : halted;
}

/** Operations of one VM that may run beside each other. */
const sideBySide = [
  ['copy', 'clone', 'export'],
  ['snapshot', 'checkpoint'],
];

function allowedForVm(vm: RecordValue): readonly string[] {
  const current = Object.values(vm['current_operations'] as Record<string, string>);
  const blocked = vm['blocked_operations'] as Record<string, string>;
  const possible = vmOperations(vm).filter((name) => blocked[name] === undefined);
  if (current.length === 0) return possible;
  const together = sideBySide.find((names) => current.every((name) => names.includes(name))) ?? [];
  return possible.filter((name) => together.includes(name));
}

const isLive = (store: Store, vm: unknown): boolean =>
  ['Running', 'Paused'].includes(store.find('VM', String(vm))?.power_state ?? '');

function allowedForVbd(vbd: RecordValue, store: Store): readonly string[] {
  if (!isLive(store, vbd['VM'])) return ['attach'];
  if (vbd['currently_attached'] !== true) return ['attach', 'plug'];
  return ['attach', ...(vbd['unpluggable'] === true ? ['unplug'] : []), 'unpause', 'pause'];
}

function allowedForVif(vif: RecordValue, store: Store): readonly string[] {
  if (!isLive(store, vif['VM'])) return ['attach'];
  return ['attach', vif['currently_attached'] === true ? 'unplug' : 'plug'];
}

function allowedForVdi(vdi: RecordValue, store: Store): readonly string[] {
  const attached = (vdi['VBDs'] as readonly string[]).some(
    (ref) => store.find('VBD', ref)?.currently_attached === true,
  );
  return attached ? ['clone', 'snapshot'] : ['copy', 'clone', 'forget', 'update', 'resize', 'snapshot', 'destroy'];
}

/** In the order in which the genuine daemon lists them. */
const hostOperations = [
  ...['vm_migrate', 'provision', 'vm_resume', 'apply_updates', 'enable', 'reboot', 'evacuate', 'vm_start', 'shutdown'],
  'power_on',
];
const needsDisabledHost: ReadonlySet<string> = new Set(['apply_updates', 'reboot', 'shutdown']);

function allowedForHost(host: RecordValue, store: Store): readonly string[] {
  const current = Object.values(host['current_operations'] as Record<string, string>);
  const live = store.find('host_metrics', asText(host['metrics']))?.live !== false;
  return hostOperations.filter((name) => {
    if (name === 'power_on') return !live && host['power_on_mode'] !== '';
    if (needsDisabledHost.has(name) && host['enabled'] === true) return false;
    return !current.some((running) => excludeOnHost(running, name));
  });
}

const srOperations = [
  ...['vdi_introduce', 'unplug', 'plug', 'pbd_create', 'update', 'pbd_destroy', 'vdi_resize', 'vdi_clone', 'scan'],
  ...['vdi_snapshot', 'vdi_create', 'vdi_destroy'],
];

/** An SR that no host is connected to may be forgotten, and ended when it is empty as well. */
function allowedForSr(sr: RecordValue, store: Store): readonly string[] {
  const pbds = sr['PBDs'] as readonly string[];
  if (pbds.some((ref) => store.find('PBD', ref)?.currently_attached === true)) return srOperations;
  const holdsDisks = (sr['VDIs'] as readonly string[]).some((ref) => store.find('VDI', ref)?.managed === true);
  return [...srOperations, 'forget', ...(pbds.length > 0 && !holdsDisks ? ['destroy'] : [])];
}

/** What an object may be asked to do, kept right at every write. */
export const derivations: Derivations = {
  VM: {
    derive: (vm) => ({ allowed_operations: allowedForVm(vm), memory_overhead: memoryOverheadBytes(vm) }),
    dependents: (vm) => [
      ...(vm['VBDs'] as readonly string[]).map((ref) => ['VBD', ref] as const),
      ...(vm['VIFs'] as readonly string[]).map((ref) => ['VIF', ref] as const),
    ],
  },
  VBD: {
    derive: (vbd, store) => ({ allowed_operations: allowedForVbd(vbd, store) }),
    dependents: (vbd) => [['VDI', asText(vbd['VDI'])]],
  },
  VIF: { derive: (vif, store) => ({ allowed_operations: allowedForVif(vif, store) }) },
  VDI: { derive: (vdi, store) => ({ allowed_operations: allowedForVdi(vdi, store) }) },
  SR: { derive: (sr, store) => ({ allowed_operations: allowedForSr(sr, store) }) },
  PBD: { derive: () => ({}), dependents: (pbd) => [['SR', asText(pbd['SR'])]] },
  host: { derive: (host, store) => ({ allowed_operations: allowedForHost(host, store) }) },
};
