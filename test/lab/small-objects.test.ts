import { describe, expect, it } from '@jest/globals';
import { byName, deploy, sharedLab } from './with-lab.ts';

const { lab, client } = sharedLab();
const told = (method: string, ...params: readonly unknown[]) => client().refusal(method, ...params);
const call = (method: string, ...params: readonly unknown[]) => client().call(method, ...params);

describe('a site that serves disks over the network', () => {
  it('is forgotten only without its servers', async () => {
    const site = await call('PVS_site.introduce', 'site', '', 'id');
    const server = await call('PVS_server.introduce', ['192.0.2.7'], '6910', '6930', site);
    expect(await told('PVS_server.introduce', ['192.0.2.7'], '1', '2', site)).toEqual([
      ...['PVS_SERVER_ADDRESS_IN_USE', '192.0.2.7'],
    ]);
    expect(await told('PVS_server.introduce', ['x'], '1', '2', site)).toEqual([
      ...['INVALID_IP_ADDRESS_SPECIFIED', 'addresses'],
    ]);
    expect(await told('PVS_server.introduce', ['192.0.2.8'], '9', '2', site)).toEqual([
      ...['VALUE_NOT_SUPPORTED', 'last_port', '2', 'last_port smaller than first_port'],
    ]);
    expect(await told('PVS_server.introduce', ['192.0.2.8'], '0', '2', site)).toEqual([
      ...['VALUE_NOT_SUPPORTED', 'first_port', '0', 'Port out of range'],
    ]);
    expect(await told('PVS_site.forget', site)).toEqual(['PVS_SITE_CONTAINS_SERVERS', server]);
    await call('PVS_server.forget', server);
    const [vif] = await client().call<string[]>('VM.get_VIFs', await deploy(client(), 'pvs'));
    const proxy = await call('PVS_proxy.create', site, vif);
    expect(await told('PVS_proxy.create', site, vif)).toEqual(['PVS_PROXY_ALREADY_PRESENT', proxy]);
    await call('PVS_site.forget', site);
    expect(await told('PVS_proxy.destroy', proxy)).toEqual(['HANDLE_INVALID', 'PVS_proxy', proxy]);
  });
});

describe('a USB device of a VM', () => {
  it('has a group with a device of its own', async () => {
    const vm = await deploy(client(), 'usb');
    const group = await call('USB_group.create', 'g', '', {});
    expect(await told('VUSB.create', vm, group)).toEqual(['USB_GROUP_CONTAINS_NO_PUSBS', group]);
    lab().world.store.create('PUSB', { USB_group: group, host: await byName(client(), 'host', 'ams1-h1') });
    const vusb = await call('VUSB.create', vm, group);
    expect(await told('VUSB.create', vm, group)).toEqual(['USB_GROUP_CONFLICT', group]);
    expect((await told('VUSB.unplug', vusb))[0]).toBe('VM_BAD_POWER_STATE');
    expect(await call('VUSB.destroy', vusb)).toBe('');
  });
});

describe('a pool', () => {
  it('checks the certificates of its hosts once it was told to, a host in an emergency no more', async () => {
    expect(await told('host.emergency_reenable_tls_verification')).toEqual(['TLS_VERIFICATION_NOT_ENABLED_IN_POOL']);
    await call('pool.enable_tls_verification');
    const coordinator = await byName(client(), 'host', 'ams1-h1');
    await call('host.emergency_disable_tls_verification');
    expect(await call('host.get_tls_verification_enabled', coordinator)).toBe(false);
    await call('host.emergency_reenable_tls_verification');
    expect(await call('host.get_tls_verification_enabled', coordinator)).toBe(true);
  });

  it('reaches its vendor through a proxy, with a user and a password or neither, on the day that it is told', async () => {
    const [pool] = await client().call<string[]>('pool.get_all');
    const proxy = (...params: readonly string[]) => told('pool.configure_repository_proxy', pool, ...params);
    expect(await proxy('gopher://x', '', '')).toEqual(['INVALID_REPOSITORY_PROXY_URL', 'gopher://x']);
    expect(await proxy('http://proxy:8080', 'user', '')).toEqual(['INVALID_REPOSITORY_PROXY_CREDENTIAL']);
    await call('pool.configure_repository_proxy', pool, 'http://proxy:8080', 'user', 'word');
    expect(await call('pool.get_repository_proxy_password', pool)).not.toBe('OpaqueRef:NULL');
    await call('pool.disable_repository_proxy', pool);
    expect(await call('pool.get_repository_proxy_url', pool)).toBe('');
    expect(await told('pool.configure_update_sync', pool, 'weekly', '7')).toEqual(['INVALID_UPDATE_SYNC_DAY', '7']);
    await call('pool.configure_update_sync', pool, 'daily', '3');
    expect(await call('pool.get_update_sync_day', pool)).toBe(0);
    await call('pool.enable_client_certificate_auth', pool, 'name');
    expect(await call('pool.get_client_certificate_auth_name', pool)).toBe('name');
    await call('pool.disable_client_certificate_auth', pool);
  });
});
