import type { SeenCall, Sighting } from './observed.ts';

/** What the recording rig could not do, having no hypervisor: its back end failed where a host's does not. */
const beyond =
  /^(VM\.(copy|resume|resume_on|pool_migrate|migrate_send)|VDI\.(copy|pool_migrate)|host\.get_data_sources)$/;

/** Failures that are the daemon's own, before or instead of the back end's. */
const own = [
  /^(HANDLE_INVALID|UUID_INVALID|SESSION_INVALID|MESSAGE_\w+|HOST_IS_SLAVE|Fault|OPERATION_\w+|OTHER_OPERATION\w+)$/,
  /^(VM_BAD_POWER_STATE|VM_LACKS_FEATURE|VM_IS_\w+|VM_REQUIRES_\w+|VM_NO_SUSPEND_SR|NO_HOSTS_AVAILABLE|HOST_\w+)$/,
];
const ownText = /^(Failure\("(Expect|Unknown tag|Int64)|Server_helpers\.Dispatcher_FieldNotFound)/;

/** A failure that the lab has to be told of, as it has a back end that works. */
export interface RigFailure {
  readonly method: string;
  readonly error: readonly [string, ...string[]];
}

/** Undefined for a call that did not fail, or failed by the daemon's own judgement; of an Async call its task tells. */
export function rigFailure(call: SeenCall, sightings: readonly Sighting[]): RigFailure | undefined {
  if (!beyond.test(call.method)) return undefined;
  const task = sightings.find(({ ref, record }) => ref === call.result && record['status'] === 'failure');
  const error = call.isAsync ? ((task?.record['error_info'] ?? []) as readonly string[]) : call.error;
  const [code = '', text = ''] = error;
  if (code === '' || own.some((pattern) => pattern.test(code))) return undefined;
  return code === 'INTERNAL_ERROR' && ownText.test(text)
    ? undefined
    : { method: call.method, error: [code, ...error.slice(1)] };
}
