import type { Call, Handlers } from '../dispatch/call.ts';
import type { Records } from '../model/records.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';

const done = () => undefined;

function onEveryHost(world: World, fields: Partial<Records['host']>): void {
  for (const host of world.store.refs('host')) world.store.update('host', host, fields);
}

/** A setting of one host that its pool can make for all. */
function setting<V>(fields: (value: V) => Partial<Records['host']>) {
  return {
    onHost: ({ world }: Call, host: string, value: V) => world.store.update('host', host, fields(value)),
    onPool: ({ world }: Call, _pool: string, value: V) => onEveryHost(world, fields(value)),
  };
}

const httpsOnly = setting((value: boolean) => ({ https_only: value }));
const sshTimeout = setting((value: number) => ({ ssh_enabled_timeout: value }));
const consoleTimeout = setting((value: number) => ({ console_idle_timeout: value }));
const sshAutoMode = setting((value: boolean) => ({ ssh_auto_mode: value }));
const sshOn = setting(() => ({ ssh_enabled: true }));
const sshOff = setting(() => ({ ssh_enabled: false }));

/** The management interface. Throws HOST_HAS_NO_MANAGEMENT_IP. */
export function managementPif(world: World, host: string): string {
  const found = world.store.get('host', host).PIFs.find((pif) => world.store.get('PIF', pif).management);
  if (found === undefined) throw new XapiError('HOST_HAS_NO_MANAGEMENT_IP');
  return found;
}

/** Settings of a pool and of its hosts, and what they tell of themselves. */
export const poolSettings: Handlers = {
  'pool.sync_database': done,
  'pool.certificate_sync': done,
  'pool.certificate_list': () => [],
  'pool.crl_list': () => [],
  'pool.rotate_secret': done,
  'pool.detect_nonhomogeneous_external_auth': done,
  'pool.has_extension': () => false,
  'pool.get_license_state': ({ world }) => ({
    edition: world.store.get('host', world.pool.master).edition,
    expiry: 'never',
  }),
  'pool.reset_telemetry_uuid': ({ world }, pool) =>
    world.store.update('pool', pool, { telemetry_uuid: world.identities.ref() }),
  'pool.set_vswitch_controller': ({ world }, address) =>
    world.store.update('pool', world.pool.ref, { vswitch_controller: address }),
  'pool.set_https_only': httpsOnly.onPool,
  'pool.set_ssh_enabled_timeout': sshTimeout.onPool,
  'pool.set_console_idle_timeout': consoleTimeout.onPool,
  'pool.set_ssh_auto_mode': sshAutoMode.onPool,
  'pool.enable_ssh': (call, pool) => sshOn.onPool(call, pool, undefined),
  'pool.disable_ssh': (call, pool) => sshOff.onPool(call, pool, undefined),
  'host.enable_ssh': (call, host) => sshOn.onHost(call, host, undefined),
  'host.disable_ssh': (call, host) => sshOff.onHost(call, host, undefined),
  'host.get_management_interface': ({ world }, host) => managementPif(world, host),
  'host.set_hostname_live': ({ world }, host, hostname) => {
    if (!/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(hostname))
      throw new XapiError('HOST_NAME_INVALID', 'hostname contains invalid characters');
    world.store.update('host', host, { hostname });
  },
  'host.has_extension': () => false,
  'host.dmesg': () => '',
  'host.dmesg_clear': () => '',
  'host.get_log': () => '',
  'host.sync_data': done,
  'host.backup_rrds': done,
  'host.syslog_reconfigure': done,
  'host.get_uncooperative_resident_VMs': () => [],
  'host.get_sched_gran': () => 'core',
  'host.enable_display': ({ world }, host) => {
    world.store.update('host', host, { display: 'enabled' });
    return 'enabled';
  },
  'host.disable_display': ({ world }, host) => {
    world.store.update('host', host, { display: 'disabled' });
    return 'disabled';
  },
  'host.enable_local_storage_caching': ({ world }, host, sr) =>
    world.store.update('host', host, { local_cache_sr: sr }),
  'host.disable_local_storage_caching': ({ world }, host) =>
    world.store.update('host', host, { local_cache_sr: nullRef }),
};
