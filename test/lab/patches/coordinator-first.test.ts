import { beforeEach, describe, expect, it } from '@jest/globals';
import { poolOf } from '../../../lab/scenario.ts';
import { loginAgain, until } from '../hosts/pool.ts';
import { post } from '../raw-client.ts';
import { freshLab } from '../with-lab.ts';

const { lab, client } = freshLab({ pools: [poolOf('xcp-ng-8.3')] });
let coordinator: string;
let member: string;

beforeEach(() => {
  [coordinator = '', member = ''] = lab().world.store.refs('host');
});

const nameOf = (host: string) => client().call('host.get_name_label', host);

async function updateAndReboot(host: string, by = client()): Promise<void> {
  await by.call('host.call_plugin', host, 'updater.py', 'update', {});
  await by.call('host.disable', host);
  await by.call('host.reboot', host);
}

const untilToolstack = (name: string, wanted: string) =>
  until(
    () => Promise.resolve(lab().host(name).toolstack),
    (state) => state === wanted,
  );

async function askMember(method: string): Promise<unknown> {
  const [, address] = lab().pools[0]?.hostAddresses ?? [];
  const { text } = await post(
    `http://${address}:${lab().pools[0]?.port}`,
    JSON.stringify({ method, params: [], id: 1 }),
  );
  return (JSON.parse(text) as { error: unknown }).error;
}

describe('a member that is updated before its coordinator', () => {
  it('does not start: it says why to whoever asks it, and its coordinator has an alert of it', async () => {
    const name = await nameOf(member);
    await updateAndReboot(member);
    await untilToolstack(name, 'emergency');
    expect(await askMember('pool.get_all')).toEqual(['HOST_XAPI_VERSION_HIGHER_THAN_COORDINATOR', '25.6.0']);
    const messages = await client().call<Record<string, { name: string; cls: string }>>('message.get_all_records');
    expect(Object.values(messages)).toContainEqual(
      expect.objectContaining({ name: 'XAPI_STARTUP_BLOCKED_AS_VERSION_HIGHER_THAN_COORDINATOR', cls: 'Host' }),
    );
    expect((await client().call<Record<string, string>>('host.get_software_version', member))['xapi']).toBe('24.19');
  });

  it('comes back when its coordinator has caught up', async () => {
    const name = await nameOf(member);
    await updateAndReboot(member);
    await untilToolstack(name, 'emergency');
    await updateAndReboot(coordinator);
    await untilToolstack(name, 'up');
    expect(lab().world.store.get('host', member).software_version['xapi']).toBe('25.6');
  });
});

describe('a member that is updated after its coordinator', () => {
  it('starts as ever', async () => {
    const runs = (host: string) =>
      until(
        () => Promise.resolve(lab().world.store.get('host', host)),
        ({ enabled, software_version: { xapi } }) => enabled && xapi === '25.6',
      );
    await updateAndReboot(coordinator);
    await runs(coordinator);
    await updateAndReboot(member, await loginAgain(lab()));
    expect((await runs(member)).enabled).toBe(true);
  });
});
