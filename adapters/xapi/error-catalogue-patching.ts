import type { FailureCode } from '../../domain/errors.ts';

export type CatalogueEntry = readonly [code: FailureCode, meaning: string];

/** The part of the error catalogue that patches, updates, plug-ins and events raise. */
export const PATCHING_ERRORS: readonly (readonly [native: string, entry: CatalogueEntry])[] = [
  ['PATCH_PRECHECK_FAILED_PREREQUISITE_MISSING', ['POOL_REFUSED', 'another patch has to be applied first']],
  ['UPDATE_PRECHECK_FAILED_PREREQUISITE_MISSING', ['POOL_REFUSED', 'another update has to be applied first']],
  ['UPDATE_PRECHECK_FAILED_CONFLICT_PRESENT', ['POOL_REFUSED', 'an applied update conflicts with this one']],
  ['PATCH_PRECHECK_FAILED_WRONG_SERVER_VERSION', ['POOL_REFUSED', 'the patch is for another version']],
  ['UPDATE_PRECHECK_FAILED_WRONG_SERVER_VERSION', ['POOL_REFUSED', 'the update is for another version']],
  ['PATCH_PRECHECK_FAILED_WRONG_SERVER_BUILD', ['POOL_REFUSED', 'the patch is for another build']],
  ['PATCH_PRECHECK_FAILED_OUT_OF_SPACE', ['POOL_REFUSED', 'the disk of the control domain is full']],
  ['UPDATE_PRECHECK_FAILED_OUT_OF_SPACE', ['POOL_REFUSED', 'the disk of the control domain is full']],
  ['OUT_OF_SPACE', ['POOL_REFUSED', 'the disk of the control domain is full']],
  ['PATCH_PRECHECK_FAILED_VM_RUNNING', ['POOL_BUSY', 'VMs still run on the host']],
  ['PATCH_PRECHECK_FAILED_ISO_MOUNTED', ['POOL_BUSY', 'the tools ISO is inserted in a VM on the host']],
  ['PATCH_PRECHECK_FAILED_UNKNOWN_ERROR', ['POOL_REFUSED', 'the precheck of the patch failed for a reason of its own']],
  [
    'UPDATE_PRECHECK_FAILED_UNKNOWN_ERROR',
    ['POOL_REFUSED', 'the precheck of the update failed for a reason of its own'],
  ],
  ['UPDATE_PRECHECK_FAILED_GPGKEY_NOT_IMPORTED', ['POOL_REFUSED', 'the signing key of the update is not on the host']],
  ['INVALID_UPDATE', ['POOL_REFUSED', 'the file is no valid update']],
  ['INVALID_PATCH', ['POOL_REFUSED', 'the file is no valid patch']],
  ['PATCH_ALREADY_APPLIED', ['STATE_CONFLICT', 'the patch is applied already']],
  ['PATCH_ALREADY_EXISTS', ['STATE_CONFLICT', 'the patch was uploaded already']],
  ['UPDATE_ALREADY_APPLIED', ['STATE_CONFLICT', 'the update is applied already']],
  ['UPDATE_ALREADY_APPLIED_IN_POOL', ['STATE_CONFLICT', 'the update is applied already on every host']],
  ['UPDATE_ALREADY_EXISTS', ['STATE_CONFLICT', 'the update was introduced already']],
  [
    'UPDATE_POOL_APPLY_FAILED',
    ['STATE_CONFLICT', 'the update failed on the hosts in the parameters and may be applied on others'],
  ],
  ['PATCH_APPLY_FAILED', ['POOL_REFUSED', 'the script of the patch failed']],
  ['UPDATE_APPLY_FAILED', ['POOL_REFUSED', 'the script of the update failed']],
  ['APPLY_UPDATES_FAILED', ['POOL_REFUSED', 'the package manager of the host failed']],
  [
    'CANNOT_FIND_PATCH',
    ['POOL_BUSY', 'the file of the patch is gone, as after a change of coordinator: it has to be uploaded again'],
  ],
  ['CANNOT_FIND_UPDATE', ['POOL_BUSY', 'the file of the update is gone: it has to be uploaded again']],
  ['UPDATEINFO_HASH_MISMATCH', ['POOL_BUSY', 'the repository has moved on: it has to be synchronised again']],
  ['SYNC_UPDATES_IN_PROGRESS', ['POOL_BUSY', 'the pool is synchronising its repository']],
  ['APPLY_UPDATES_IN_PROGRESS', ['POOL_BUSY', 'updates are being applied']],
  ['HOST_EVACUATION_IS_REQUIRED', ['POOL_REFUSED', 'the host has to be evacuated first']],
  ['HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY', ['POOL_REFUSED', 'an earlier update asks for a restart first']],
  ['XENAPI_PLUGIN_FAILURE', ['POOL_REFUSED', 'the plug-in on the host failed']],
  ['XENAPI_MISSING_PLUGIN', ['POOL_REFUSED', 'the host lacks the plug-in']],
  ['UNKNOWN_XENAPI_PLUGIN_FUNCTION', ['POOL_REFUSED', 'the plug-in on the host lacks this function']],
  ['-1', ['POOL_BUSY', 'the plug-in on the host is busy']],
  ['EVENTS_LOST', ['POOL_BUSY', 'events were lost: everything has to be read again']],
  [
    'EVENT_FROM_TOKEN_PARSE_FAILURE',
    ['POOL_BUSY', 'the event token is not understood: everything has to be read again'],
  ],
];
