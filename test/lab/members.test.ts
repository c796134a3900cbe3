import { describe, expect, it } from '@jest/globals';
import { post } from './raw-client.ts';
import { byName, freshLab } from './with-lab.ts';

const { lab, client } = freshLab();

async function askMember(method: string, ...params: readonly unknown[]): Promise<unknown> {
  const [pool] = lab().pools;
  const { text } = await post(
    `http://${pool?.hostAddresses[1]}:${pool?.port}`,
    JSON.stringify({ method, params, id: 1 }),
  );
  const { result, error } = JSON.parse(text) as { result: unknown; error: unknown };
  return error ?? result;
}

describe('a member of the pool', () => {
  it('names its coordinator to a login, before it looks at the password', async () => {
    const isSlave = ['HOST_IS_SLAVE', lab().pools[0]?.coordinatorAddress];
    expect(await askMember('session.login_with_password', 'root', 'lab-password')).toEqual(isSlave);
    expect(await askMember('session.login_with_password', 'root', 'wrong')).toEqual(isSlave);
  });

  it('names its coordinator to the coordinator’s sessions, and knows no others', async () => {
    const isSlave = ['HOST_IS_SLAVE', lab().pools[0]?.coordinatorAddress];
    expect(await askMember('VM.get_all', client().session)).toEqual(isSlave);
    expect(await askMember('session.logout', client().session)).toEqual(isSlave);
    expect(await askMember('VM.get_all', 'OpaqueRef:1')).toEqual(['SESSION_INVALID', 'OpaqueRef:1']);
    expect(await askMember('VM.foo', 'x')).toEqual(['SESSION_INVALID', 'x']);
  });

  it('counts arguments before all that', async () => {
    const mismatch = ['MESSAGE_PARAMETER_COUNT_MISMATCH', 'session.login_with_password', '2', '1'];
    expect(await askMember('session.login_with_password', 'root')).toEqual(mismatch);
  });

  it('takes a local login', async () => {
    const session = await askMember('session.slave_local_login_with_password', 'root', 'lab-password');
    expect(await askMember('host.get_all', session)).toHaveLength(3);
    expect(await askMember('session.local_logout', session)).toBe('');
    expect(await askMember('host.get_all', session)).toEqual(['SESSION_INVALID', session]);
    const denied = ['SESSION_AUTHENTICATION_FAILED', 'root', 'Authentication failure'];
    expect(await askMember('session.slave_local_login_with_password', 'root', 'bad')).toEqual(denied);
  });

  it('has the address that its record says, on the port of all', async () => {
    const host = await byName(client(), 'host', 'ams1-h2');
    expect(await client().call('host.get_address', host)).toBe(lab().pools[0]?.hostAddresses[1]);
  });
});
