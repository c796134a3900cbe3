import type { World } from '../world/world.ts';
import { withoutAsync } from '../call-log.ts';

/** What a host answers although it cannot reach its coordinator (datamodel.ml, emergency_calls). */
const emergencyCalls: ReadonlySet<string> = new Set([
  'session.slave_local_login',
  'session.slave_local_login_with_password',
  'session.local_logout',
  'host.propose_new_master',
  'host.commit_new_master',
  'host.abort_new_master',
  'host.is_in_emergency_mode',
  'host.local_assert_healthy',
  'host.signal_networking_change',
  'host.local_management_reconfigure',
  'host.ha_xapi_healthcheck',
  'host.emergency_ha_disable',
  'host.management_disable',
  'host.emergency_disable_tls_verification',
  'host.emergency_reenable_tls_verification',
  'host.emergency_clear_mandatory_guidance',
  'host.emergency_reset_server_certificate',
  'host.get_system_status_capabilities',
  'host.shutdown_agent',
  'pool.emergency_transition_to_master',
  'pool.emergency_reset_master',
  'pool.is_slave',
]);

/** Whether a host answers the call by itself, without its coordinator. */
export const isEmergencyCall = (name: string): boolean => emergencyCalls.has(withoutAsync(name));

/** What a member that cannot reach its coordinator answers to every call before it looks at it, known or not. */
export function refuseInEmergency(world: World, host: string, method: string): readonly string[] | undefined {
  const { toolstack, emergencyError } = world.machines.of(host);
  if (toolstack !== 'emergency' || isEmergencyCall(method)) return undefined;
  if (emergencyError !== undefined) return emergencyError;
  const { product_version: version = '' } = world.product.softwareVersion;
  return [Number.parseInt(version, 10) < 8 ? 'HOST_IN_EMERGENCY_MODE' : 'HOST_HAS_NO_MANAGEMENT_IP'];
}
