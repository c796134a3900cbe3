import type { OperationName } from '../../../domain/operations.ts';

/** An operation whose step cases are generated, with what it is asked for. */
export interface Scenario {
  readonly operation: OperationName;
  /** An operation, with the same VM, that has to have succeeded before. */
  readonly after?: Scenario;
  /** What a run that was taken back may leave different, in the words of `outcomeOf`. */
  readonly traces: readonly string[];
  input(this: void, pool: string, name: string): Record<string, unknown>;
}

const deployVm: Scenario = {
  operation: 'deploy-vm',
  traces: [],
  input: (pool, name) => ({
    ...{ pool, name, template: 'debian-12', networks: ['tenant', 'storage'], vcpus: 2 },
    disks: [
      { name: 'data', sizeGiB: 1 },
      { name: 'log', sizeGiB: 1 },
    ],
    userData: '#cloud-config\n',
  }),
};

/** A VM that was shut down and started again runs as before, but its guest has reported anew. */
const RESTARTED = [
  'VM VM changed guest_metrics',
  'VM_guest_metrics  added',
  'VM_guest_metrics  removed',
  'VM_metrics  changed start_time',
];

/** One line here gives an operation all its cases. */
export const SCENARIOS: readonly Scenario[] = [
  deployVm,
  { operation: 'delete-vm', after: deployVm, traces: RESTARTED, input: (pool, name) => ({ pool, name }) },
];
