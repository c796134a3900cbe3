import { describe, expect, it } from '@jest/globals';
import { poolOf } from '../../../lab/scenario.ts';
import { post } from '../raw-client.ts';
import { byName, deploy, sharedLab } from '../with-lab.ts';

const { client } = sharedLab({ pools: [poolOf('xapi-25.33.1', 'rig')] });

/** What a call without anybody's session is refused with. */
async function strangerIsTold(method: string, ...params: readonly unknown[]): Promise<unknown> {
  const { text } = await post(client().url, JSON.stringify({ method, params: ['bogus', ...params], id: 1 }));
  return (JSON.parse(text) as { error: unknown }).error;
}

describe('what the daemon lists', () => {
  it('is as long as its answer was', async () => {
    const names = await client().call<string[]>('system.listMethods');
    expect([names.length, names.join('').length]).toEqual([2170, 47_534]);
  });

  it('is also what is not published, with its parameters', async () => {
    const host = await byName(client(), 'host', 'rig-h1');
    await expect(client().call('pool.is_slave', host)).resolves.toBe(false);
    await expect(client().call('pool.is_slave')).rejects.toThrow(
      'MESSAGE_PARAMETER_COUNT_MISMATCH, pool.is_slave, 1, 0',
    );
    await expect(client().call('network.attach', 5, host)).rejects.toThrow("Expected string, got 'I(5)'");
    await expect(client().call('VDI.checksum', 'OpaqueRef:1')).rejects.toThrow('HANDLE_INVALID, VDI, OpaqueRef:1');
  });
});

describe('a message of the pool’s own', () => {
  it('is refused to everybody else, once the session is known', async () => {
    const refusal = 'INTERNAL_ERROR, Internal API "host.notify" call attempted with non-pool (external) session';
    await expect(client().call('host.notify', 'a', 'b')).rejects.toThrow(refusal);
    await expect(client().call('Async.host.notify', 'a', 'b')).rejects.toThrow(refusal);
    expect(await strangerIsTold('host.notify', 'a', 'b')).toEqual(['SESSION_INVALID', 'bogus']);
  });
});

describe('a message with optional parameters', () => {
  it('takes any number of further arguments', async () => {
    const vm = await deploy(client(), 'web');
    await expect(client().call('VM.snapshot', vm, 'one', [], 'and', 'more')).resolves.toMatch(/^OpaqueRef:/);
    await expect(client().call('VM.clone', vm, 'one', 'more')).rejects.toThrow(
      'MESSAGE_PARAMETER_COUNT_MISMATCH, VM.clone, 2, 3',
    );
  });
});

describe('an Async form that there is not', () => {
  it('is missed only after the arguments and the session', async () => {
    await expect(client().call('Async.VM.get_all', 'x')).rejects.toThrow('MESSAGE_PARAMETER_COUNT_MISMATCH');
    await expect(client().call('Async.VM.get_record', 5)).rejects.toThrow("Expected string, got 'I(5)'");
    expect(await strangerIsTold('Async.VM.get_all')).toEqual(['SESSION_INVALID', 'bogus']);
    await expect(client().call('Async.VM.get_all')).rejects.toThrow('Fault, No async mode');
  });
});

describe('a removed message', () => {
  it('says so whatever types it is given', async () => {
    await expect(client().call('VMPP.get_alerts', 5, 'x')).rejects.toThrow('MESSAGE_REMOVED');
    await expect(client().call('VMPP.get_alerts', 5)).rejects.toThrow('MESSAGE_PARAMETER_COUNT_MISMATCH');
  });
});
