import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { OperationFailure } from '../../../domain/errors.ts';
import { startLab, type Lab } from '../../../lab/lab.ts';
import { knownByAnother, Memory, OpenPools, settingsOf } from './support.ts';

const pools = new OpenPools();
let lab: Lab;

beforeAll(async () => {
  lab = await startLab();
});

afterEach(async () => {
  await pools.close();
  lab.clearFaults();
});

afterAll(() => lab.close());

function logins(): number {
  return lab.calls({ method: 'session.login_with_password' }).length;
}

describe('a call to a pool', () => {
  it('connects to nothing before the first one, and logs in once for all', async () => {
    const before = logins();
    const xapi = pools.of(settingsOf(lab));
    expect(logins()).toBe(before);
    await Promise.all([xapi.call('VM.get_all'), xapi.call('SR.get_all'), xapi.call('host.get_all')]);
    await xapi.call('network.get_all');
    expect(logins()).toBe(before + 1);
  });

  it('answers integers as numbers and references as text', async () => {
    const xapi = pools.of(settingsOf(lab));
    const [host] = await xapi.call('host.get_all');
    expect(host).toMatch(/^OpaqueRef:/);
    const bytes = await xapi.call('host.compute_free_memory', host ?? '');
    expect(bytes).toBeGreaterThan(0);
  });

  it('asks for a reference once, and again when the pool knows the object by another one, as after a restore', async () => {
    const xapi = pools.of(settingsOf(lab));
    const first = await xapi.call('VM.clone', (await xapi.call('VM.get_by_name_label', 'debian-12'))[0] ?? '', 'kept');
    const uuid = await xapi.call('VM.get_uuid', first);
    const asked = () => lab.calls({ method: 'VM.get_by_uuid' }).length;
    const before = asked();
    expect([await xapi.refOf('VM', uuid), await xapi.refOf('VM', uuid)]).toEqual([first, first]);
    expect(asked() - before).toBe(1);
    await expect(xapi.call('VM.get_uuid', 'OpaqueRef:gone')).rejects.toMatchObject({ code: 'OBJECT_GONE' });
    expect(await xapi.refOf('VM', uuid)).toBe(first);
    expect(asked() - before).toBe(1);

    const second = knownByAnother(lab, 'VM', first);
    await expect(xapi.call('VM.get_name_label', first)).rejects.toMatchObject({
      code: 'STATE_CONFLICT',
      details: { native: { code: 'HANDLE_INVALID', params: ['VM', first] } },
    });
    expect(await xapi.refOf('VM', uuid)).toBe(second);
    const third = knownByAnother(lab, 'VM', second);
    await expect(xapi.task(new Memory(), 'VM.start', second, false, false)).rejects.toMatchObject({
      code: 'STATE_CONFLICT',
    });
    expect(await xapi.refOf('VM', uuid)).toBe(third);
    lab.world.store.destroy('VM', third);
    await expect(xapi.call('VM.get_name_label', third)).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    await expect(xapi.refOf('VM', uuid)).rejects.toMatchObject({ code: 'OBJECT_GONE' });
  });

  it('tells where guests answer SSH', () => {
    expect(pools.of(settingsOf(lab, { guestSshPort: 2222 })).guestSshPort).toBe(2222);
  });

  it('logs in again when the session has expired', async () => {
    const xapi = pools.of(settingsOf(lab));
    await xapi.call('VM.get_all');
    const before = logins();
    const expired = lab.plan({ method: 'SR.get_all', kind: 'refused', error: ['SESSION_INVALID', 'OpaqueRef:old'] });
    await expect(xapi.call('SR.get_all')).resolves.toHaveLength(2);
    expect({ fired: expired.fired, logins: logins() - before }).toEqual({ fired: 1, logins: 1 });
  });

  it('survives any number of others while the session is renewed', async () => {
    const xapi = pools.of(settingsOf(lab));
    await xapi.call('VM.get_all');
    lab.plan({ method: 'SR.get_all', kind: 'refused', error: ['SESSION_INVALID', 'OpaqueRef:old'] });
    lab.plan({ method: 'session.login_with_password', kind: 'slow', delayMs: 300 });
    const expired = xapi.call('SR.get_all');
    const others = Array.from({ length: 30 }, async (_, index) => {
      await new Promise((resolve) => setTimeout(resolve, index * 50));
      return xapi.call('host.get_all');
    });
    await expect(Promise.all(others)).resolves.toHaveLength(30);
    await expired;
  });

  it('fails at once, and shows no password, when the password is wrong', async () => {
    const before = logins();
    const [coordinator, member] = lab.pools[0]?.hostAddresses ?? [];
    const wrong = { password: 'not-the-password', addresses: [coordinator ?? '', member ?? ''] };
    const failure = await failureOf(pools.of(settingsOf(lab, wrong)).call('VM.get_all'));
    expect(failure).toMatchObject({ code: 'POOL_CREDENTIALS_REFUSED' });
    expect(JSON.stringify(failure)).not.toContain('not-the-password');
    expect(logins()).toBe(before + 1);
  });

  it('shows no session reference in a failure', async () => {
    const xapi = pools.of(settingsOf(lab));
    lab.plan({ method: 'VM.get_all', kind: 'refused', error: ['SESSION_INVALID', 'OpaqueRef:0a0a'], times: 9 });
    const failure = await failureOf(xapi.call('VM.get_all'));
    expect(failure).toMatchObject({ code: 'SESSION_LOST' });
    expect(JSON.stringify(failure)).not.toContain('OpaqueRef');
  });

  it('names method, object and native code when the pool refuses', async () => {
    const failure = await failureOf(pools.of(settingsOf(lab)).call('VM.get_record', 'OpaqueRef:none'));
    expect(failure).toMatchObject({
      code: 'OBJECT_GONE',
      object: 'VM OpaqueRef:none',
      native: { code: 'HANDLE_INVALID', params: ['VM', 'OpaqueRef:none'] },
      message: expect.stringContaining('VM.get_record on VM OpaqueRef:none failed on pool ams1'),
    });
  });

  it('is ambiguous when the connection is cut after the request, and is not repeated', async () => {
    const xapi = pools.of(settingsOf(lab));
    const [vm] = await xapi.call('VM.get_by_name_label', 'debian-12');
    const cut = lab.plan({ method: 'VM.set_name_description', kind: 'reply-lost' });
    const failure = await failureOf(xapi.call('VM.set_name_description', vm ?? '', 'once'));
    expect(failure).toMatchObject({ code: 'POOL_UNREACHABLE' });
    expect(cut.fired).toBe(1);
    expect(lab.calls({ method: 'VM.set_name_description' })).toHaveLength(1);
    await expect(xapi.call('VM.get_name_description', vm ?? '')).resolves.toBe('once');
  });

  it('gives up on a pool that does not answer in time', async () => {
    const xapi = pools.of(settingsOf(lab), { callTimeoutMs: 100 });
    await xapi.call('VM.get_all');
    lab.plan({ method: 'SR.get_all', kind: 'slow', delayMs: 2_000 });
    await expect(failureOf(xapi.call('SR.get_all'))).resolves.toMatchObject({ code: 'POOL_UNREACHABLE' });
    await expect(xapi.call('SR.get_all')).resolves.toHaveLength(2);
  });
});

/** The failure as it travels. */
async function failureOf(call: Promise<unknown>): Promise<unknown> {
  const error = await call.then(
    () => new Error('the call went through'),
    (reason: unknown) => reason,
  );
  if (error instanceof OperationFailure) return error.toFailure();
  throw error;
}
