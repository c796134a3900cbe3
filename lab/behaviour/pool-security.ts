import type { Handlers } from '../dispatch/call.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { postAlert } from './alert.ts';
import { assertHaOff } from './ha-plan.ts';

/** Throws HA_IS_ENABLED. Nobody checks a certificate in the lab: it is what the records say. */
function verifyCertificates(world: World): void {
  assertHaOff(world);
  world.store.update('pool', world.pool.ref, { tls_verification_enabled: true });
  for (const host of world.store.refs('host')) world.store.update('host', host, { tls_verification_enabled: true });
}

function dropProxy(world: World, pool: string): void {
  const { repository_proxy_password: secret } = world.store.get('pool', pool);
  world.store.update('pool', pool, {
    ...{ repository_proxy_url: '', repository_proxy_username: '', repository_proxy_password: nullRef },
  });
  if (world.store.find('secret', secret) !== undefined) world.store.destroy('secret', secret);
}

function setProxy(world: World, pool: string, url: string, [user, password]: readonly [string, string]): void {
  if (!/^https?:\/\/[^/\s]+/.test(url)) throw new XapiError('INVALID_REPOSITORY_PROXY_URL', url);
  if ((user === '') !== (password === '')) throw new XapiError('INVALID_REPOSITORY_PROXY_CREDENTIAL');
  dropProxy(world, pool);
  const secret = password === '' ? nullRef : world.store.create('secret', { value: password });
  world.store.update('pool', pool, {
    ...{ repository_proxy_url: url, repository_proxy_username: user, repository_proxy_password: secret },
  });
}

/** Whom a pool trusts and through whom it reaches its vendor. */
export const poolSecurity: Handlers = {
  'pool.enable_tls_verification': ({ world }) => verifyCertificates(world),
  'host.emergency_disable_tls_verification': ({ world, host }) => {
    world.store.update('host', host, { tls_verification_enabled: false });
    const { uuid } = world.store.get('host', host);
    postAlert(world, 'TLS_VERIFICATION_EMERGENCY_DISABLED', 'Host', uuid, '');
  },
  'host.emergency_reenable_tls_verification': ({ world, host }) => {
    if (!world.store.get('pool', world.pool.ref).tls_verification_enabled)
      throw new XapiError('TLS_VERIFICATION_NOT_ENABLED_IN_POOL');
    world.store.update('host', host, { tls_verification_enabled: true });
  },
  'pool.enable_client_certificate_auth': ({ world }, pool, name) =>
    world.store.update('pool', pool, { client_certificate_auth_enabled: true, client_certificate_auth_name: name }),
  'pool.disable_client_certificate_auth': ({ world }, pool) =>
    world.store.update('pool', pool, { client_certificate_auth_enabled: false, client_certificate_auth_name: '' }),
  'pool.configure_repository_proxy': ({ world }, pool, url, user, password) =>
    setProxy(world, pool, url, [user, password]),
  'pool.disable_repository_proxy': ({ world }, pool) => dropProxy(world, pool),
  'pool.configure_update_sync': ({ world }, pool, frequency, day) => {
    if (frequency === 'weekly' && (day < 0 || day > 6)) throw new XapiError('INVALID_UPDATE_SYNC_DAY', String(day));
    world.store.update('pool', pool, {
      ...{ update_sync_frequency: frequency, update_sync_day: frequency === 'weekly' ? day : 0 },
    });
  },
  'pool.disable_ssl_legacy': () => undefined,
};
