import { PATCHING_ERRORS, type CatalogueEntry } from './error-catalogue-patching.ts';

/**
 * Every XAPI error code that is understood: the failure it becomes, and what it means in the words of an operator.
 * Codes that are not here become POOL_ERROR: nothing is known about their outcome, so the next attempt looks first.
 *
 * The meanings rest on the code of xapi (26.17) and on answers seen from a genuine one (25.33), not on the upstream texts.
 */
export const ERROR_CATALOGUE: ReadonlyMap<string, CatalogueEntry> = new Map<string, CatalogueEntry>([
  ...PATCHING_ERRORS,

  // Session, account
  ['SESSION_INVALID', ['SESSION_LOST', 'the session expired, was dropped for newer ones, or the toolstack restarted']],
  [
    'SESSION_AUTHENTICATION_FAILED',
    ['POOL_CREDENTIALS_REFUSED', 'user or password is wrong, or the authentication service is down'],
  ],
  ['SESSION_AUTHORIZATION_FAILED', ['POOL_CREDENTIALS_REFUSED', 'the account has no role on this pool']],
  [
    'RBAC_PERMISSION_DENIED',
    ['POOL_REFUSED', 'the account lacks the permission: it needs the role pool-operator or higher'],
  ],

  // Hosts and the toolstack
  ['HOST_IS_SLAVE', ['POOL_UNREACHABLE', 'this member is not the coordinator, and the one it names did not take over']],
  ['HOST_STILL_BOOTING', ['POOL_BUSY', 'the toolstack of the host is still starting']],
  [
    'HOST_HAS_NO_MANAGEMENT_IP',
    ['POOL_UNREACHABLE', 'the host is starting or in emergency mode, without a management address'],
  ],
  ['HOST_IN_EMERGENCY_MODE', ['POOL_UNREACHABLE', 'the host cannot find its coordinator']],
  ['HOST_MASTER_CANNOT_TALK_BACK', ['POOL_UNREACHABLE', 'the coordinator cannot reach this host']],
  ['HOST_UNKNOWN_TO_MASTER', ['POOL_UNREACHABLE', 'the coordinator does not know this host']],
  ['HOST_OFFLINE', ['POOL_BUSY', 'the host is down or cut off']],
  ['HOST_NOT_LIVE', ['POOL_BUSY', 'the host is down']],
  [
    'CANNOT_CONTACT_HOST',
    ['POOL_ERROR', 'the connection from the coordinator to the host broke while the call was passed on'],
  ],
  ['HOST_DISABLED', ['POOL_BUSY', 'the host is in maintenance mode']],
  ['HOST_NOT_DISABLED', ['POOL_REFUSED', 'the host has to be disabled and evacuated first']],
  ['HOST_IN_USE', ['POOL_BUSY', 'VMs or tasks are still on the host']],
  ['HOST_EVACUATE_IN_PROGRESS', ['POOL_BUSY', 'the host is being evacuated']],

  // Throttling and locks
  ['TOO_MANY_PENDING_TASKS', ['POOL_BUSY', 'more than 100 operations are queued on the pool']],
  ['TOO_BUSY', ['POOL_BUSY', 'the pool is overloaded']],
  ['TOO_MANY_STORAGE_MIGRATES', ['POOL_BUSY', 'the limit of storage migrations at once is reached']],
  ['OTHER_OPERATION_IN_PROGRESS', ['POOL_BUSY', 'another operation holds the object']],
  ['OPERATION_NOT_ALLOWED', ['POOL_REFUSED', 'the state of the object forbids this']],
  [
    'OPERATION_BLOCKED',
    ['VM_PROTECTED', 'an administrator has blocked this operation on the object (blocked_operations)'],
  ],
  ['TASK_CANCELLED', ['TASK_CANCELLED', 'the task was cancelled on the pool']],
  [
    'NOT_SUPPORTED_DURING_UPGRADE',
    ['POOL_BUSY', 'the hosts of the pool run different versions: a rollout is not finished'],
  ],

  // Objects
  ['HANDLE_INVALID', ['OBJECT_GONE', 'the object does not exist any more']],
  ['UUID_INVALID', ['OBJECT_GONE', 'no object has this uuid']],
  ['VM_BAD_POWER_STATE', ['STATE_CONFLICT', 'the VM is in another power state than the operation needs']],
  ['VM_IS_TEMPLATE', ['POOL_REFUSED', 'the VM is still a template: it has to be provisioned first']],
  ['VM_IS_SNAPSHOT', ['POOL_REFUSED', 'this is a snapshot, not a VM']],
  [
    'PROVISION_ONLY_ALLOWED_ON_TEMPLATE',
    ['STATE_CONFLICT', 'the VM is no template any more: it was provisioned before'],
  ],
  ['DEVICE_ALREADY_EXISTS', ['STATE_CONFLICT', 'the device position is taken']],
  ['DEVICE_ALREADY_ATTACHED', ['STATE_CONFLICT', 'the device is attached already']],
  ['DEVICE_ALREADY_DETACHED', ['STATE_CONFLICT', 'the device is detached already']],
  ['MAP_DUPLICATE_KEY', ['STATE_CONFLICT', 'the key is there already']],

  // Placement
  ['NO_HOSTS_AVAILABLE', ['NO_HOST_FITS', 'no host of the pool can take the VM']],
  ['HOST_NOT_ENOUGH_FREE_MEMORY', ['NO_HOST_FITS', 'the host has not enough free memory']],
  ['HOST_NOT_ENOUGH_PCPUS', ['NO_HOST_FITS', 'the VM has more vCPUs than the host has CPUs']],
  ['VM_REQUIRES_SR', ['NO_HOST_FITS', 'the host does not see a storage repository that the VM needs']],
  ['VM_REQUIRES_NETWORK', ['NO_HOST_FITS', 'the host is not on a network that the VM needs']],
  ['HOST_CANNOT_ATTACH_NETWORK', ['NO_HOST_FITS', 'the host cannot attach the network']],
  ['VM_INCOMPATIBLE_WITH_THIS_HOST', ['NO_HOST_FITS', 'the VM uses CPU features that the host lacks']],
  ['VM_HOST_INCOMPATIBLE_VERSION', ['NO_HOST_FITS', 'the host is older than the one the VM ran on']],
  ['VM_HOST_INCOMPATIBLE_VERSION_MIGRATE', ['NO_HOST_FITS', 'the target host is older than the source']],
  ['VM_HAS_PCI_ATTACHED', ['NO_HOST_FITS', 'a PCI device ties the VM to its host']],
  ['VM_HAS_VGPU', ['NO_HOST_FITS', 'a virtual GPU ties the VM to its host']],
  ['VM_HAS_SRIOV_VIF', ['NO_HOST_FITS', 'an SR-IOV interface ties the VM to its host']],
  ['CANNOT_EVACUATE_HOST', ['POOL_REFUSED', 'some VMs cannot leave the host; the parameters name them']],
  ['HOST_EVACUATE_VM_NOT_HA_PROTECTED', ['POOL_REFUSED', 'with HA on, an unprotected VM blocks the evacuation']],
  ['HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN', ['POOL_REFUSED', 'HA could not restart all protected VMs any more']],
  ['HA_IS_ENABLED', ['POOL_REFUSED', 'HA is on and has to be off for this']],
  ['HA_NOT_ENABLED', ['STATE_CONFLICT', 'HA is off already']],

  // Guests
  ['VM_LACKS_FEATURE', ['POOL_REFUSED', 'the guest tools are missing or too old for this']],
  ['VM_MISSING_PV_DRIVERS', ['POOL_REFUSED', 'the guest has no PV drivers']],
  ['VM_FAILED_SHUTDOWN_ACKNOWLEDGMENT', ['POOL_BUSY', 'the guest ignored the request to shut down']],
  ['VM_SHUTDOWN_TIMEOUT', ['POOL_BUSY', 'the guest did not shut down in time']],
  ['VM_MIGRATE_FAILED', ['STATE_CONFLICT', 'the migration failed and the VM may be dead: look at its power state']],
  ['VM_CRASHED', ['STATE_CONFLICT', 'the guest crashed during the operation']],
  ['VM_HALTED', ['STATE_CONFLICT', 'the guest halted during the operation']],
  ['VM_REBOOTED', ['STATE_CONFLICT', 'the guest rebooted during the operation']],
  ['DEVICE_DETACH_REJECTED', ['POOL_BUSY', 'the guest holds the device']],
  ['DEVICE_DETACH_TIMEOUT', ['POOL_BUSY', 'the guest did not let go of the device in time']],
  ['DEVICE_ATTACH_TIMEOUT', ['POOL_BUSY', 'the guest did not take the device in time']],

  // Input
  ['MEMORY_CONSTRAINT_VIOLATION', ['POOL_REFUSED', 'the memory limits contradict each other']],
  ['MEMORY_CONSTRAINT_VIOLATION_ORDER', ['POOL_REFUSED', 'the memory limits are out of order']],
  ['MEMORY_CONSTRAINT_VIOLATION_MAXPIN', ['POOL_REFUSED', 'the memory limits have to be equal for this VM']],
  ['MAC_INVALID', ['POOL_REFUSED', 'the MAC address is malformed']],
  ['MAC_STILL_EXISTS', ['POOL_REFUSED', 'another interface has this MAC address']],
  ['INVALID_VALUE', ['POOL_REFUSED', 'the pool does not accept this value']],
  ['INVALID_DEVICE', ['POOL_REFUSED', 'there is no such device position']],
  ['VALUE_NOT_SUPPORTED', ['POOL_REFUSED', 'the pool does not support this value']],
  ['FIELD_TYPE_ERROR', ['POOL_REFUSED', 'the field has another type']],
  ['MESSAGE_METHOD_UNKNOWN', ['POOL_REFUSED', 'this version of the toolstack has no such call']],
  ['MESSAGE_PARAMETER_COUNT_MISMATCH', ['POOL_REFUSED', 'this version of the toolstack takes other parameters']],
  ['MESSAGE_REMOVED', ['POOL_REFUSED', 'this version of the toolstack has removed the call']],
  ['LICENCE_RESTRICTION', ['POOL_REFUSED', 'the licence of the pool does not cover this']],
  ['FEATURE_RESTRICTED', ['POOL_REFUSED', 'the edition of the pool lacks this feature']],

  // Storage
  ['SR_FULL', ['STORAGE_FULL', 'the storage repository is full']],
  ['PROVISION_FAILED_OUT_OF_SPACE', ['STORAGE_FULL', 'there is no space for the disks of the template']],
  ['SR_BACKEND_FAILURE_44', ['STORAGE_FULL', 'the storage repository has not enough space']],
  ['SR_BACKEND_FAILURE_46', ['POOL_BUSY', 'the disk is not available: a stale attachment may hold it']],
  ['SR_BACKEND_FAILURE_24', ['POOL_BUSY', 'the disk is in use']],
  ['SR_BACKEND_FAILURE_37', ['POOL_BUSY', 'the storage repository is locked']],
  ['SR_BACKEND_FAILURE_201', ['POOL_BUSY', 'the storage asks to try again']],
  ['SR_BACKEND_FAILURE_40', ['POOL_BUSY', 'the scan of the storage repository failed']],
  ['SR_BACKEND_FAILURE_47', ['POOL_BUSY', 'the storage repository is unavailable']],
  ['SR_BACKEND_FAILURE_67', ['POOL_BUSY', 'the iSCSI device is not there']],
  ['SR_BACKEND_FAILURE_68', ['POOL_BUSY', 'the iSCSI login failed']],
  ['SR_BACKEND_FAILURE_73', ['POOL_BUSY', 'the NFS mount failed']],
  ['SR_BACKEND_FAILURE_141', ['POOL_BUSY', 'the iSCSI target does not answer']],
  ['SR_BACKEND_FAILURE_181', ['POOL_BUSY', 'the metadata of the storage repository cannot be read']],
  ['SR_BACKEND_FAILURE_200', ['POOL_BUSY', 'the storage had an input/output error']],
  ['SR_BACKEND_FAILURE_81', ['POOL_REFUSED', 'the clone of the disk failed']],
  ['SR_BACKEND_FAILURE_82', ['POOL_REFUSED', 'the snapshot of the disk failed']],
  [
    'SR_BACKEND_FAILURE_109',
    ['POOL_REFUSED', 'the chain of snapshots is too long: let it coalesce, or make a full copy'],
  ],
  ['SR_BACKEND_FAILURE_110', ['POOL_REFUSED', 'the disk could not be resized']],
  ['SR_BACKEND_FAILURE_150', ['POOL_BUSY', 'the storage layer could not reach the toolstack']],
  ['SR_BACKEND_FAILURE_151', ['POOL_BUSY', 'the storage layer could not reach the toolstack']],
  ['SR_BACKEND_FAILURE_152', ['POOL_BUSY', 'the storage layer could not reach the toolstack']],
  ['SR_BACKEND_FAILURE_153', ['POOL_BUSY', 'the storage layer could not reach the toolstack']],
  ['SR_BACKEND_FAILURE_154', ['POOL_BUSY', 'the storage layer could not reach the toolstack']],
  ['SR_HAS_NO_PBDS', ['POOL_BUSY', 'the storage repository is attached to no host']],
  ['SR_NOT_ATTACHED', ['POOL_BUSY', 'the storage repository is not attached']],
  ['VDI_IN_USE', ['POOL_BUSY', 'the disk is attached or busy']],
  ['VDI_NOT_AVAILABLE', ['POOL_REFUSED', 'the storage has lost the disk']],
  ['VDI_MISSING', ['POOL_REFUSED', 'the storage has lost the disk']],
  ['VDI_TOO_SMALL', ['POOL_REFUSED', 'the disk is too small']],
  ['VDI_TOO_LARGE', ['POOL_REFUSED', 'the disk is too large for this storage']],
  ['VDI_READONLY', ['POOL_REFUSED', 'the disk is read-only']],
  ['VDI_CBT_ENABLED', ['POOL_REFUSED', 'changed block tracking blocks the storage migration']],
  ['VDI_IO_ERROR', ['POOL_ERROR', 'the transfer of the disk broke off']],
  ['CLUSTERED_SR_DEGRADED', ['POOL_BUSY', 'the storage cluster has lost its quorum']],
]);
