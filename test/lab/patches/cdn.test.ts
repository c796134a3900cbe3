import { describe, expect, it } from '@jest/globals';
import { afterHostStart } from '../../../lab/patching/guidances.ts';
import { setLivepatchFailure } from '../../../lab/patching/host-updates.ts';
import { poolOf } from '../../../lab/scenario.ts';
import { freshProduct } from './product-lab.ts';

const { lab, call, refusal, async: asyncCall } = freshProduct(poolOf('xenserver-8.4'));

const pool = () => lab().world.pool.ref;
const hostAt = (at: number) => lab().world.store.refs('host')[at] ?? '';

interface Updates {
  readonly hash: string;
  readonly hosts: readonly { ref: string; updates: string[]; guidance: Record<string, string[]> }[];
  readonly updates: readonly { id: string }[];
}

async function getUpdates(password = lab().pools[0]?.password ?? ''): Promise<Response> {
  const [target] = lab().pools;
  const authorization = `Basic ${Buffer.from(`${target?.user ?? ''}:${password}`).toString('base64')}`;
  return fetch(`${target?.url ?? ''}/updates`, { headers: { authorization } });
}

async function runningVm(host: string): Promise<string> {
  const [template] = await call<string[]>('VM.get_by_name_label', 'debian-12');
  const vm = await call('VM.clone', template, 'web');
  await call('VM.provision', vm);
  await call('VM.start_on', vm, host, false, false);
  return vm;
}

describe('updates from the repository on XenServer 8.4', () => {
  it('are known after a sync, by its hash, per host', async () => {
    expect(await call('host.get_latest_synced_updates_applied', hostAt(0))).toBe('unknown');
    const hash = await call('pool.sync_updates', pool(), false, '', '');
    expect(await call('host.get_latest_synced_updates_applied', hostAt(0))).toBe('no');
    expect(await call('pool.get_last_update_sync', pool())).not.toContain('1970');
    const updates = (await (await getUpdates()).json()) as Updates;
    expect(updates.hash).toBe(hash);
    expect(updates.hosts).toHaveLength(3);
    expect(updates.hosts[0]?.updates).toEqual(['UPDATE-0001', 'UPDATE-0002', 'UPDATE-0003']);
    expect(updates.hosts[0]?.guidance['mandatory']).toEqual(['RebootHost', 'EvacuateHost']);
    expect((await getUpdates('wrong')).status).toBe(401);
  });

  it('are applied to a disabled, empty host only, of the hash that was synced last', async () => {
    const host = hostAt(1);
    const vm = await runningVm(host);
    const hash = await call('pool.sync_updates', pool(), false, '', '');
    expect(await refusal('host.apply_updates', host, hash)).toEqual(['HOST_NOT_DISABLED']);
    await call('host.disable', host);
    expect(await refusal('host.apply_updates', host, 'stale')).toEqual(['UPDATEINFO_HASH_MISMATCH']);
    expect(await refusal('host.apply_updates', host, hash)).toEqual(['HOST_EVACUATION_IS_REQUIRED', host]);
    await call('VM.hard_shutdown', vm);
    expect(await call('host.apply_updates', host, hash)).toEqual([]);
    expect(await call('host.get_pending_guidances', host)).toEqual(['reboot_host']);
    expect(await call('host.get_last_update_hash', host)).toBe(hash);
    expect(await call('host.get_latest_synced_updates_applied', host)).toBe('yes');
    const xen = async () => (await call<Record<string, string>>('host.get_software_version', host))['xen'];
    expect(await xen()).toBe('4.17.5');
    expect(await refusal('host.enable', host)).toEqual(['HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY', host]);
    afterHostStart(lab().world, host, true);
    expect(await xen()).toBe('4.17.5-24');
    expect(await call('host.get_pending_guidances', host)).toEqual([]);
    expect(await call('host.get_pending_guidances_full', host)).toEqual([]);
    await call('host.enable', host);
  });

  it('leave to running VMs what they must do, until they have done it', async () => {
    const [first, second] = [hostAt(0), hostAt(1)];
    const vm = await runningVm(first);
    const hash = await call('pool.sync_updates', pool(), false, '', '');
    await call('host.disable', second);
    await call('host.apply_updates', second, hash);
    expect(await call('VM.get_pending_guidances_full', vm)).toEqual(['restart_vm']);
    await call('VM.hard_reboot', vm);
    expect(await call('VM.get_pending_guidances_full', vm)).toEqual([]);
    lab().world.store.update('VM', vm, { pending_guidances_recommended: ['restart_device_model'] });
    await call('VM.restart_device_models', vm);
    expect(await call('VM.get_pending_guidances_recommended', vm)).toEqual([]);
    await call('VM.hard_shutdown', vm);
    expect((await refusal('VM.restart_device_models', vm))[0]).toBe('VM_BAD_POWER_STATE');
  });

  it('answer the live patches that failed as data, and ask for a reboot instead', async () => {
    const host = hostAt(2);
    const hash = await call('pool.sync_updates', pool(), false, '', '');
    await call('host.disable', host);
    setLivepatchFailure(lab().world, host, true);
    const [[code, livepatch = ''] = []] = await call<string[][]>('host.apply_updates', host, hash);
    expect(code).toBe('APPLY_LIVEPATCH_FAILED');
    expect(JSON.parse(livepatch)).toMatchObject({ component: 'xen', to_version: '4.17.5', to_release: '24' });
    expect(await call('host.get_pending_guidances', host)).toContain('reboot_host_on_xen_livepatch_failure');
  });

  it('fail on one host and leave it as it was', async () => {
    const host = hostAt(1);
    const hash = await call('pool.sync_updates', pool(), false, '', '');
    await call('host.disable', host);
    lab().plan({ method: 'host.apply_updates', object: host, kind: 'refused', error: ['APPLY_UPDATES_FAILED', host] });
    expect((await asyncCall('host.apply_updates', host, hash)).error_info).toEqual(['APPLY_UPDATES_FAILED', host]);
    expect(await call('host.get_latest_synced_updates_applied', host)).toBe('no');
    expect(await call('pool.get_current_operations', pool())).toEqual({});
    expect((await asyncCall('host.apply_updates', host, hash)).status).toBe('success');
  });

  it('move on: a newer sync makes hosts outdated and the old hash wrong', async () => {
    const host = hostAt(1);
    const before = await call('pool.sync_updates', pool(), false, '', '');
    await call('host.disable', host);
    await call('host.apply_updates', host, before);
    const guidance = { mandatory: ['RestartToolstack'], recommended: [], full: [] };
    lab().world.vendor.publish({ id: 'UPDATE-0004', summary: 'More', type: 'bugfix', packages: [], guidance });
    const after = await call('pool.sync_updates', pool(), false, '', '');
    expect(await call('host.get_latest_synced_updates_applied', host)).toBe('no');
    expect(await refusal('host.apply_updates', host, before)).toEqual(['UPDATEINFO_HASH_MISMATCH']);
    const updates = (await (await getUpdates()).json()) as Updates;
    expect(updates.hosts.find(({ ref }) => ref === host)?.updates).toEqual(['UPDATE-0004']);
    await call('host.apply_updates', host, after);
    expect(await call('host.get_pending_guidances', host)).toContain('restart_toolstack');
    afterHostStart(lab().world, host, false);
    expect(await call('host.get_pending_guidances', host)).not.toContain('restart_toolstack');
  });

  it('exclude each other: no sync while hosts are being updated, and the other way round', async () => {
    const host = hostAt(1);
    const hash = await call('pool.sync_updates', pool(), false, '', '');
    await call('host.disable', host);
    const busy = (name: string) =>
      lab().world.store.update('pool', pool(), { current_operations: name === '' ? {} : { 'OpaqueRef:other': name } });
    busy('apply_updates');
    expect(await refusal('pool.sync_updates', pool(), false, '', '')).toEqual(['APPLY_UPDATES_IN_PROGRESS']);
    busy('sync_updates');
    expect(await refusal('host.apply_updates', host, hash)).toEqual(['SYNC_UPDATES_IN_PROGRESS']);
  });

  it('need repositories, each of its own name and address', async () => {
    const [first, second] = await call<string[]>('pool.get_repositories', pool());
    expect(await refusal('Repository.forget', first)).toEqual(['REPOSITORY_IS_IN_USE']);
    await call('pool.set_repositories', pool(), []);
    expect(await refusal('pool.sync_updates', pool(), false, '', '')).toEqual(['NO_REPOSITORIES_CONFIGURED']);
    expect((await getUpdates()).status).toBe(500);
    const taken = await refusal('Repository.introduce', 'Normal', '', 'https://x.example.com', '', true);
    expect(taken[0]).toBe('REPOSITORY_ALREADY_EXISTS');
    const own = await call('Repository.introduce', 'Mirror', '', 'https://mirror.example.com', '', true);
    await call('pool.set_repositories', pool(), [own]);
    expect(await call('pool.sync_updates', pool(), false, '', '')).toMatch(/^[0-9a-f]{64}$/);
    await call('Repository.forget', second);
  });

  it('are ruled out by what makes the pool not ready, and that is told in advance', async () => {
    expect(await call('pool.check_update_readiness', pool(), true)).toEqual([]);
    const vm = await runningVm(hostAt(0));
    const [local = ''] = await call<string[]>('SR.get_by_name_label', 'local-h1');
    const [disk = ''] = await call<string[]>('VM.get_VBDs', vm);
    const vdi = await call('VBD.get_VDI', disk);
    lab().world.store.update('VDI', vdi, { SR: local });
    expect(await call('pool.check_update_readiness', pool(), true)).toEqual([['VM_REQUIRES_SR', vm, local]]);
    expect(await call('pool.check_update_readiness', pool(), false)).toEqual([]);
    lab().world.store.update('pool', pool(), { ha_enabled: true });
    expect(await call('pool.check_update_readiness', pool(), false)).toEqual([['HA_IS_ENABLED']]);
  });
});
