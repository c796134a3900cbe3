import { beforeEach, describe, expect, it } from '@jest/globals';
import { post } from '../raw-client.ts';
import { byName, deploy, freshLab } from '../with-lab.ts';
import { answers, hostRecord, loginAgain, until, untilBack } from './pool.ts';

const { lab, client } = freshLab();
let coordinator: string;
let member: string;

const port = () => lab().pools[0]?.port;
const memberUrl = () => `http://${lab().pools[0]?.hostAddresses[1]}:${port()}`;

async function ask(url: string, method: string, ...params: readonly unknown[]): Promise<unknown> {
  const { text } = await post(url, JSON.stringify({ method, params, id: 1 }));
  const { result, error } = JSON.parse(text) as { result?: unknown; error?: unknown };
  return error ?? result;
}

beforeEach(async () => {
  coordinator = await byName(client(), 'host', 'ams1-h1');
  member = await byName(client(), 'host', 'ams1-h2');
});

/** The coordinator is dead, the member has started since: it is in emergency mode. */
async function emergency(): Promise<void> {
  await client().call('host.restart_agent', member);
  await lab().host('ams1-h1').losePower();
  await until(
    () => Promise.resolve(lab().host('ams1-h2').toolstack),
    (state) => state === 'emergency',
  );
}

describe('a coordinator whose toolstack restarts', () => {
  it('loses sessions and tasks, keeps the VMs and tells every object again to a token of before', async () => {
    const vm = await deploy(client(), 'web-1');
    await client().call('VM.start', vm, false, false);
    const task = await client().call('task.create', 'mine', '');
    const { token } = await client().call<{ token: string }>('event.from', ['pool'], '', 0.01);
    const waiting = client()
      .call('event.from', ['pool'], token, 60)
      .then(
        () => 'answered',
        () => 'cut',
      );
    await client().call('host.restart_agent', coordinator);
    expect(await waiting).toBe('cut');
    const again = await loginAgain(lab());
    expect(await client().refusal('VM.get_all')).toEqual(['SESSION_INVALID', client().session]);
    expect(await again.refusal('task.get_record', task)).toEqual(['HANDLE_INVALID', 'task', task]);
    expect(await again.call('VM.get_power_state', vm)).toBe('Running');
    const { events } = await again.call<{ events: { operation: string }[] }>('event.from', ['pool'], token, 0.01);
    expect(events.map(({ operation }) => operation)).toEqual(['add']);
  });
});

describe('a coordinator that is away', () => {
  it('is still named to a login by its members, which let calls with a session hang until it is back', async () => {
    await client().call('host.disable', coordinator);
    await client().call('host.reboot', coordinator);
    const address = lab().pools[0]?.coordinatorAddress ?? '';
    await until(
      () => answers(lab(), address),
      (answered) => !answered,
    );
    expect(await ask(memberUrl(), 'session.login_with_password', 'root', 'x')).toEqual(['HOST_IS_SLAVE', address]);
    expect(await ask(memberUrl(), 'VM.get_all', client().session)).toEqual(['SESSION_INVALID', client().session]);
    const again = await loginAgain(lab());
    await until(
      () => hostRecord(again, coordinator),
      ({ enabled }) => enabled,
    );
  });
});

describe('a member that starts without its coordinator', () => {
  it('refuses every call in the one form, before it looks at it', async () => {
    await emergency();
    const refusal = '{"jsonrpc":"2.0","error":["HOST_HAS_NO_MANAGEMENT_IP"],"id":0}';
    for (const body of ['{"method":"VM.foo","params":[],"id":7}', '{"jsonrpc":"2.0","method":"VM.get_all","id":"x"}']) {
      const { text, headers } = await post(memberUrl(), body);
      expect(text).toBe(refusal);
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
    const session = await ask(memberUrl(), 'session.slave_local_login_with_password', 'root', 'lab-password');
    expect(await ask(memberUrl(), 'host.is_in_emergency_mode', session)).toBe(true);
  });

  it('joins in as soon as the coordinator is back', async () => {
    await emergency();
    lab().host('ams1-h1').powerOn();
    const again = await loginAgain(lab());
    await until(
      () => hostRecord(again, member),
      ({ enabled }) => enabled,
    );
  });

  it('becomes the coordinator when it is told to, and the old one returns as its member', async () => {
    const before = await hostRecord(client(), coordinator);
    await emergency();
    const session = await ask(memberUrl(), 'session.slave_local_login_with_password', 'root', 'lab-password');
    expect(await ask(memberUrl(), 'pool.emergency_transition_to_master', session)).toBe('');
    await until(
      () => Promise.resolve(lab().pools[0]?.url),
      (url) => url === memberUrl(),
    );
    const again = await loginAgain(lab());
    lab().host('ams1-h1').powerOn();
    await untilBack(again, coordinator, before);
    const old = `http://${lab().pools[0]?.hostAddresses[0]}:${port()}`;
    expect(await ask(old, 'session.login_with_password', 'root', 'x')).toEqual([
      'HOST_IS_SLAVE',
      lab().pools[0]?.hostAddresses[1],
    ]);
  });
});

describe('a planned change of the coordinator', () => {
  it('moves the role; the old coordinator returns as a member', async () => {
    const before = await hostRecord(client(), coordinator);
    await client().call('pool.designate_new_master', member);
    await until(
      () => Promise.resolve(lab().pools[0]?.url),
      (url) => url === memberUrl(),
    );
    const again = await loginAgain(lab());
    const [pool] = await again.call<string[]>('pool.get_all');
    expect(await again.call('pool.get_master', pool)).toBe(member);
    await untilBack(again, coordinator, before);
    expect(await ask(client().url, 'VM.get_all', again.session)).toEqual([
      'HOST_IS_SLAVE',
      lab().pools[0]?.hostAddresses[1],
    ]);
  });
});
