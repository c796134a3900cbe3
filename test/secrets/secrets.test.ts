import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { openDatabase } from '../../adapters/postgres/database.ts';
import { Vault } from '../../adapters/postgres/vault.ts';
import type { HostKey } from '../../adapters/ssh/host-key.ts';
import { runOverSsh } from '../../adapters/ssh/run.ts';
import type { DeployVmResult } from '../../domain/operations.ts';
import { Installation, marked } from './installation.ts';
import type { ProgramName } from './programs.ts';
import { everythingKept, shownByTemporal } from './readable.ts';
import type { Texts } from './readable.ts';
import { findSecrets } from './search.ts';

let here: Installation;
/** Those that are planted and those that the runs make. */
const secrets: Record<string, string | Buffer> = {};
/** Everything that somebody could read of these runs, by where it was read. */
const texts: Texts = {};

beforeAll(async () => {
  here = await Installation.start();
  Object.assign(secrets, here.secrets, { keyFile: here.site.secretsKey });
});
afterAll(() => here.stop());

/** The sessions of XAPI that are open now; each is as good as the password while it lives. */
function noteSessions(): string[] {
  const refs = [...here.site.lab.world.store.entries('session')].map(({ ref }) => ref);
  for (const ref of refs) secrets[`session ${ref}`] = ref;
  return refs;
}

/** A line of the private key is as good as the key, and survives every way of indenting it. */
function lineOf(privateKey: string): string {
  const line = /PRIVATE KEY-----\s+\S+\s+(\S+)/.exec(privateKey)?.[1];
  if (line === undefined) throw new Error('there is no private key');
  return line;
}

async function driveOf(name: string): Promise<string> {
  const disks = [...here.site.lab.world.store.entries('VDI')];
  const drive = disks.find(({ record }) => record.name_label === `${name} config-drive`);
  return (await here.site.lab.world.contents.read(drive?.ref ?? ''))?.toString('latin1') ?? '';
}

/** Opens what the programs have sealed, with the key that was planted. */
async function fromVault(runId: string, name: string): Promise<string> {
  const database = openDatabase(here.site.databaseUrl);
  try {
    return (await new Vault(here.site.secretsKey).find(database.db, runId, name)) ?? '';
  } finally {
    await database.close();
  }
}

describe('secrets arrive where they belong:', () => {
  it('the token opens the API, and nothing else does', async () => {
    expect((await here.ask('GET', '/v1/runs')).status).toBe(200);
    secrets['foreign token'] = marked('foreign-token');
    expect((await here.ask('GET', '/v1/runs', undefined, secrets['foreign token'])).status).toBe(401);
  });

  it('the password opens the database, and no other does', async () => {
    const connect = async (url: string) => {
      const client = new pg.Client({ connectionString: url });
      await client.connect().finally(() => client.end());
    };
    await connect(here.databaseUrl);
    const wrong = new URL(here.databaseUrl);
    wrong.password = 'another';
    await expect(connect(wrong.href)).rejects.toMatchObject({ code: '28P01' });
  });

  it('the password opens the pool, the user data reaches the guest, the host key is on its drive', async () => {
    const deployed = await here.run('deploy-vm', here.vm('keeper'));
    expect(deployed.state).toBe('succeeded');
    expect(noteSessions()).not.toEqual([]);
    secrets['host key of keeper'] = lineOf(await driveOf('keeper'));
    const result = deployed.result as DeployVmResult;
    const printed = await runOverSsh({
      ...{ address: result.address, port: result.sshPort, user: 'debian', privateKey: here.operator.privateKey },
      ...{ expectedPublicKey: result.hostPublicKey, command: 'cat /etc/secret', timeoutMs: 10_000 },
    });
    expect(printed.trim()).toBe(here.secrets.userData);
  });

  it('the key file opens what a run keeps, while it is under way and not a moment longer', async () => {
    const barrier = here.site.lab.hold({ method: 'VM.start', object: 'stopped', at: 'before-effect' });
    const run = await here.begin('deploy-vm', here.vm('stopped'));
    await barrier.reached;
    expect(await fromVault(run.id, 'userData')).toContain(here.secrets.userData);
    const { privateKey } = JSON.parse(await fromVault(run.id, 'hostKey')) as HostKey;
    secrets['host key of stopped'] = lineOf(privateKey);
    expect(await driveOf('stopped')).toContain(secrets['host key of stopped']);
    const workflowId = (await here.site.store.get(run.id))?.workflowId ?? '';
    Object.assign(texts, await everythingKept(here.site));
    texts['the page of Temporal'] = await shownByTemporal(here.site, workflowId);
    expect(texts['the page of Temporal']).toContain('cloneVm');
    expect((await here.ask('POST', `/v1/runs/${run.id}/cancel`)).status).toBe(200);
    barrier.release();
    expect((await here.ended(run)).state).toBe('cancelled');
    expect(await fromVault(run.id, 'userData')).toBe('');
    expect(await fromVault(run.id, 'hostKey')).toBe('');
  });
});

describe('secrets are at hand', () => {
  it('when runs fail, are undone, and delete', async () => {
    const { lab } = here.site;
    const [session = ''] = noteSessions();
    lab.plan({ method: 'VM.clone', kind: 'refused', error: ['SESSION_INVALID', session] });
    const words = `login as root:${here.secrets.poolPassword} with session ${session}`;
    lab.plan({ method: 'VM.provision', kind: 'refused', error: ['LICENCE_RESTRICTION', words] });
    lab.plan({ method: 'guest.boot', object: 'mute', kind: 'never-boots' });
    expect((await here.run('deploy-vm', here.vm('refused'))).failure?.code).toBe('POOL_REFUSED');
    expect((await here.run('deploy-vm', here.vm('mute'))).failure?.code).toBe('GUEST_NO_ADDRESS');
    const stranger = await here.run('deploy-vm', here.vm('stranger', 'ams2'));
    expect(stranger.failure?.code).toBe('POOL_CREDENTIALS_REFUSED');
    expect((await here.run('delete-vm', { pool: 'ams1', name: 'keeper' })).state).toBe('succeeded');
    noteSessions();
    await here.ask('GET', '/v1/runs');
    expect((await here.ask('GET', `/v1/runs/${stranger.id}/events`)).status).toBe(200);
  });

  it('when requests are refused', async () => {
    const { userData, apiToken } = here.secrets;
    const start = (input: Record<string, unknown>) => here.ask('POST', '/v1/runs', { operation: 'deploy-vm', input });
    expect((await start(here.vm('Bad_Name'))).status).toBe(400);
    expect((await start({ ...here.vm('typed'), userData: { [userData]: userData } })).status).toBe(400);
    for (const yaml of [`- ${userData}`, `password: *${userData}`, `password: "${userData}`]) {
      expect((await start({ ...here.vm('faulty'), userData: `#cloud-config\n${yaml}` })).status).toBe(400);
    }
    expect((await start({ ...here.vm('fields'), password: here.secrets.poolPassword })).status).toBe(400);
    expect((await here.ask('GET', `/v1/runs?order=${apiToken}`)).status).toBe(400);
  });

  it('when programs cannot start', async () => {
    const { programs, secrets: planted } = here;
    const away = new URL(here.databaseUrl);
    away.port = '1';
    const lines = ['password: ', 'password: "', 'password: *'].map((start) => start + planted.poolPassword);
    const configs = lines.map((line, at) => programs.file(`faulty-${at}.yaml`, `pools:\n  - id: ams1\n    ${line}\n`));
    const faulty: [ProgramName, Record<string, string>][] = [
      ['worker', { DATABASE_URL: away.href }],
      ['worker', { DATABASE_URL: here.databaseUrl.replace('://', ':/') }],
      ...configs.map((path): [ProgramName, Record<string, string>] => ['worker', { SWITCHBOARD_CONFIG: path }]),
      ['api', { SWITCHBOARD_TOKEN_FILE: programs.file('two-words', `${planted.apiToken} ${planted.apiToken}`) }],
    ];
    for (const [name, env] of faulty)
      expect({ env, code: await programs.exitCode(name, env) }).toEqual({ env, code: 1 });
  });
});

describe('secrets are not', () => {
  it('in any history, log, answer or table', async () => {
    Object.assign(texts, here.answers, await everythingKept(here.site), {
      'log of API and worker': here.programs.log(),
    });
    expect(Object.keys(texts)).toEqual(expect.arrayContaining(['table runs', 'table run_events', 'table run_secrets']));
    expect(Object.keys(texts).filter((place) => place.startsWith('history of'))).toHaveLength(6);
    expect(here.programs.log()).toContain('LICENCE_RESTRICTION');
    expect(findSecrets(secrets, texts)).toEqual([]);
  });
});
