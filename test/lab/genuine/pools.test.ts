import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Lab } from '../../../lab/lab.ts';
import { startLab } from '../../../lab/lab.ts';
import { poolOf } from '../../../lab/scenario.ts';
import { RawClient, post } from '../raw-client.ts';

let lab: Lab;
let session: string;

beforeAll(async () => {
  lab = await startLab({ pools: [poolOf('xapi-25.33.1')] });
  ({ session } = await RawClient.login(lab));
});
afterAll(() => lab.close());

/** What the member answers to both versions of JSON-RPC. */
async function askMember(method: string, params: readonly unknown[]): Promise<readonly unknown[]> {
  const [pool] = lab.pools;
  const answers = [{ jsonrpc: '2.0' }, {}].map((version) =>
    post(`http://${pool?.hostAddresses[1]}:${pool?.port}`, JSON.stringify({ ...version, method, params, id: 1 })),
  );
  return (await Promise.all(answers)).map(({ text }) => JSON.parse(text) as unknown);
}

const failures = (code: string, ...data: readonly unknown[]) => [
  { jsonrpc: '2.0', error: { code: 1, message: code, data }, id: 1 },
  { result: null, error: [code, ...data], id: 1 },
];

describe('a working member, asked in either version of JSON-RPC', () => {
  it.each([
    ['VM.get_all', []],
    ['VM.foo', []],
    ['session.logout', []],
    ['event.from', [[], '', 0]],
    ['Async.VM.start', ['OpaqueRef:1', false, false]],
  ])('names its coordinator to the coordinator’s session: %s', async (method, params) => {
    const isSlave = failures('HOST_IS_SLAVE', lab.pools[0]?.coordinatorAddress);
    expect(await askMember(method, [session, ...params])).toEqual(isSlave);
  });

  it.each(['VM.get_all', 'VM.foo', 'host.is_in_emergency_mode', 'pool.emergency_transition_to_master'])(
    'does not know a session of nobody: %s',
    async (method) => {
      expect(await askMember(method, ['x'])).toEqual(failures('SESSION_INVALID', 'x'));
    },
  );

  it('counts the arguments first', async () => {
    const mismatch = failures('MESSAGE_PARAMETER_COUNT_MISMATCH', 'VM.get_record', '1', '0');
    expect(await askMember('VM.get_record', [session])).toEqual(mismatch);
  });
});
