import { describe, expect, it } from '@jest/globals';
import { afterHostStart } from '../../../lab/patching/guidances.ts';
import { setYumError } from '../../../lab/patching/updater-plugin.ts';
import { poolOf } from '../../../lab/scenario.ts';
import { freshProduct } from './product-lab.ts';

const { lab, call, refusal, async: asyncCall } = freshProduct(poolOf('xcp-ng-8.3'));

const hostAt = (at: number) => lab().world.store.refs('host')[at] ?? '';
const plugin = <T = string>(host: string, fn: string, args: Record<string, string> = {}) =>
  call<T>('host.call_plugin', host, 'updater.py', fn, args);

async function available(host: string): Promise<Record<string, unknown>[]> {
  return JSON.parse(await plugin(host, 'check_update')) as Record<string, unknown>[];
}

describe('updater.py on XCP-ng 8.3', () => {
  it('lists the packages that a host lacks', async () => {
    const packages = await available(hostAt(0));
    expect(packages.map(({ name }) => name)).toEqual(['xapi-core', 'xen-hypervisor']);
    expect(Object.keys(packages[0] ?? {})).toEqual([
      ...['name', 'version', 'release', 'description', 'changelog', 'url', 'size', 'license'],
    ]);
  });

  it('installs them, and the next boot runs them', async () => {
    const host = hostAt(0);
    const { status, result } = await asyncCall('host.call_plugin', host, 'updater.py', 'update', {});
    expect(status).toBe('success');
    expect(result).toContain('Complete!');
    expect(await available(host)).toEqual([]);
    expect(await available(hostAt(1))).toHaveLength(2);
    const xapi = async () => (await call<Record<string, string>>('host.get_software_version', host))['xapi'];
    expect(await xapi()).toBe('24.19');
    afterHostStart(lab().world, host, true);
    expect(await xapi()).toBe('25.6');
  });

  it('installs only the packages that it is told', async () => {
    await plugin(hostAt(0), 'update', { packages: 'xen-hypervisor' });
    expect((await available(hostAt(0))).map(({ name }) => name)).toEqual(['xapi-core']);
  });

  it('does one thing at a time on a host', async () => {
    const host = hostAt(0);
    lab().world.vendor.busy.set(host, 'update');
    expect(await refusal('host.call_plugin', host, 'updater.py', 'check_update', {})).toEqual([
      ...['-1', 'The updater plugin is busy (current operation: update)'],
    ]);
    expect(await refusal('host.call_plugin', host, 'updater.py', 'update', {})).toEqual([
      ...['-1', 'Update already in progress'],
    ]);
    expect(await available(hostAt(1))).toHaveLength(2);
  });

  it('shows what yum complained of, and installs nothing then', async () => {
    const host = hostAt(0);
    const stderr = 'Error: Package: foo-1.0-1.x86_64 (epel) Requires: bar >= 2\n';
    setYumError(lab().world, host, stderr);
    const { error_info: error } = await asyncCall('host.call_plugin', host, 'updater.py', 'update', {});
    expect(error[0]).toBe('-1');
    expect(error).toContain(stderr);
    expect(await available(host)).toHaveLength(2);
    setYumError(lab().world, host, null);
    await plugin(host, 'update');
    expect(await available(host)).toEqual([]);
  });

  it('is the only plugin that hosts have, and has its own functions only', async () => {
    expect(await refusal('host.call_plugin', hostAt(0), 'nosuch.py', 'x', {})).toEqual([
      ...['XENAPI_MISSING_PLUGIN', 'nosuch.py'],
    ]);
    expect(await refusal('host.call_plugin', hostAt(0), 'updater.py', 'nosuch', {})).toEqual([
      ...['UNKNOWN_XENAPI_PLUGIN_FUNCTION', 'nosuch'],
    ]);
  });

  it('goes beside a repository that nobody configured', async () => {
    expect(await refusal('pool.sync_updates', lab().world.pool.ref, false, '', '')).toEqual([
      ...['NO_REPOSITORIES_CONFIGURED'],
    ]);
  });
});
