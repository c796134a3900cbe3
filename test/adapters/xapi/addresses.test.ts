import { createServer, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createXapiPools } from '../../../adapters/xapi/pools.ts';
import { startLab, type Lab } from '../../../lab/lab.ts';
import { startTcpProxy, type TcpProxy } from '../../../lab/tcp-proxy.ts';
import { OpenPools, settingsOf } from './support.ts';

const pools = new OpenPools();
const proxies: TcpProxy[] = [];
let lab: Lab;

beforeAll(async () => {
  lab = await startLab();
});

afterEach(async () => {
  await pools.close();
  await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
  lab.clearFaults();
});

afterAll(() => lab.close());

async function proxyTo(target: Lab, listenHost: string, listenPort?: number): Promise<TcpProxy> {
  const { coordinatorAddress = '', port = 0 } = target.pools[0] ?? {};
  const proxy = await startTcpProxy({ targetHost: coordinatorAddress, targetPort: port, listenHost, listenPort });
  proxies.push(proxy);
  return proxy;
}

describe('the addresses of a pool', () => {
  it('lead to the coordinator when only members are registered', async () => {
    const [, ...members] = lab.pools[0]?.hostAddresses ?? [];
    const xapi = pools.of(settingsOf(lab, { addresses: members }));
    await expect(xapi.call('pool.get_all')).resolves.toHaveLength(1);
  });

  it('are tried one after the other when the first is dead', async () => {
    const [, member] = lab.pools[0]?.hostAddresses ?? [];
    const xapi = pools.of(settingsOf(lab, { addresses: ['127.0.0.254', member ?? ''] }));
    await expect(xapi.call('pool.get_all')).resolves.toHaveLength(1);
  });

  it('are followed to the coordinator when it has moved since the login', async () => {
    const xapi = pools.of(settingsOf(lab));
    const [vm = ''] = await xapi.call('VM.get_all');
    const address = lab.pools[0]?.coordinatorAddress ?? '';
    const moved = lab.plan({ method: 'VM.set_name_label', kind: 'refused', error: ['HOST_IS_SLAVE', address] });
    await expect(xapi.call('VM.set_name_label', vm, 'debian-12')).resolves.toBe('');
    expect(moved.fired).toBe(1);
  });

  it('are tried again by themselves after the coordinator was away', async () => {
    const proxy = await proxyTo(lab, '127.0.0.1');
    const xapi = pools.of(settingsOf(lab, { addresses: ['127.0.0.1'], port: proxy.port }));
    await xapi.call('VM.get_all');
    await proxy.down();
    await expect(xapi.call('VM.get_all')).rejects.toMatchObject({
      code: 'POOL_UNREACHABLE',
      message: expect.stringContaining('127.0.0.1: ECONNREFUSED'),
    });
    await proxy.up();
    await expect(xapi.call('pool.get_all')).resolves.toHaveLength(1);
  });

  it('never lead to another pool, such as that of an ejected host with the old password', async () => {
    const foreign = await startLab();
    try {
      const proxy = await proxyTo(lab, '127.0.0.1');
      await proxyTo(foreign, '127.0.0.2', proxy.port);
      const xapi = pools.of(settingsOf(lab, { addresses: ['127.0.0.1', '127.0.0.2'], port: proxy.port }));
      const [uuid = ''] = Object.values(await xapi.call('pool.get_all_records')).map((pool) => pool.uuid);
      await proxy.down();
      const before = foreign.calls({ method: 'VM.get_all' }).length;
      await expect(xapi.call('VM.get_all')).rejects.toMatchObject({
        code: 'POOL_UNREACHABLE',
        message: expect.stringContaining(`not ${uuid}: take it out of the configuration`),
      });
      expect(foreign.calls({ method: 'VM.get_all' }).length).toBe(before);
    } finally {
      await foreign.close();
    }
  });

  it('are given up when a host accepts the connection and never speaks TLS', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket.resume()));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const bound = silent.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    const settings = settingsOf(lab, { addresses: ['127.0.0.1'], port, tls: { mode: 'ca' } });
    const silence = pools.of(settings, { connectTimeoutMs: 100 }).call('pool.get_all');
    await expect(silence).rejects.toMatchObject({
      code: 'POOL_UNREACHABLE',
      message: expect.stringContaining('UND_ERR_CONNECT_TIMEOUT'),
    });
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
  });
});

describe('the registry of pools', () => {
  it('names those that are registered when asked for another', () => {
    const registry = createXapiPools([settingsOf(lab)]);
    expect(() => registry.get('fra1')).toThrow(expect.objectContaining({ code: 'POOL_UNKNOWN' }));
    expect(() => registry.get('fra1')).toThrow('registered: ams1');
  });

  it('logs out when it is closed, and connects no more', async () => {
    const registry = createXapiPools([settingsOf(lab)]);
    const xapi = registry.get('ams1');
    await xapi.call('pool.get_all');
    const before = lab.calls({ method: 'session.logout' }).length;
    await registry.close();
    expect(lab.calls({ method: 'session.logout' }).length).toBe(before + 1);
    await expect(xapi.call('pool.get_all')).rejects.toThrow('is closed');
  });
});
