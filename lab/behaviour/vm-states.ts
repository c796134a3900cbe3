import type { PowerState } from './vm-support.ts';

const every: readonly PowerState[] = ['Halted', 'Paused', 'Running', 'Suspended'];

const states: readonly (readonly [readonly PowerState[], readonly string[]])[] = [
  [
    ['Halted'],
    [
      ...['changing_NVRAM', 'changing_static_range', 'changing_memory_limits', 'changing_shadow_memory'],
      ...['changing_VCPUs', 'create_vtpm', 'make_into_template', 'provision', 'start', 'start_on'],
    ],
  ],
  [['Halted', 'Running'], ['changing_dynamic_range']],
  [
    ['Halted', 'Suspended'],
    ['clone', 'copy', 'destroy', 'export'],
  ],
  [['Halted', 'Suspended', 'Running'], ['migrate_send']],
  [['Paused'], ['unpause']],
  [['Suspended'], ['csvm', 'resume', 'resume_on']],
  [['Paused', 'Running'], ['hard_reboot']],
  [
    ['Paused', 'Suspended', 'Running'],
    ['checkpoint', 'get_boot_record', 'hard_shutdown', 'shutdown'],
  ],
  [
    ['Running'],
    [
      ...['awaiting_memory_live', 'call_plugin', 'changing_memory_live', 'changing_shadow_memory_live'],
      ...['changing_VCPUs_live', 'clean_reboot', 'clean_shutdown', 'data_source_op', 'pause', 'pool_migrate'],
      ...['send_sysrq', 'send_trigger', 'suspend', 'sysprep'],
    ],
  ],
];

/** The power states in which an operation of a VM is possible, in the order in which a refusal names them. */
export const statesFor = (operation: string): readonly PowerState[] =>
  states.find(([, operations]) => operations.includes(operation))?.[0] ?? every;
