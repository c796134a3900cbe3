import type { VmDemand } from './placement.ts';

/**
 * Plain facts about VMs as the runbooks pass them from step to step: small JSON, no secrets, no XAPI records.
 */

/** A VM in a pool. `uuid` is the durable identity; references die with a restore or a re-registration. */
export interface VmIdentity {
  readonly pool: string;
  readonly uuid: string;
  readonly name: string;
}

/** `VM web-01 (4f1c…) on pool ams1`: how every message names a VM. */
export function describeVm(vm: VmIdentity): string {
  return `VM ${vm.name} (${vm.uuid}) on pool ${vm.pool}`;
}

/** A disk of a VM, by the identity that outlives its VM. */
export interface DiskIdentity {
  readonly uuid: string;
  readonly name: string;
}

/** A disk that a new VM will get beside the one of its template. */
export interface PlannedDisk {
  readonly name: string;
  readonly sizeBytes: number;
  readonly srUuid: string;
}

/** What a new VM will be made of, resolved to uuids once, so that a rename in the pool changes nothing half-way. */
export interface Placement {
  readonly templateUuid: string;
  /** In the order of the request. */
  readonly networkUuids: readonly string[];
  /** The storage of the template's boot disk: the config drive goes there too. */
  readonly bootSrUuid: string;
  readonly disks: readonly PlannedDisk[];
  readonly demand: VmDemand;
}

export const MIB = 1024 * 1024;
export const GIB = 1024 * MIB;

/** A name that is safe as host name, XAPI name_label and part of a Temporal workflow id (RFC 1123 label). */
export const VM_NAME_PATTERN = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
