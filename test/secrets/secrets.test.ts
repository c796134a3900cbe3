import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { createActivities } from '../../activities/index.ts';
import { generateHostKey } from '../../adapters/ssh/host-key.ts';
import { runOverSsh } from '../../adapters/ssh/run.ts';
import type { DeployVmResult } from '../../domain/operations.ts';
import { defaultPool } from '../../lab/scenario.ts';
import pg from 'pg';
import { eventually } from '../support/eventually.ts';
import { startSite } from '../support/site.ts';
import type { Site } from '../support/site.ts';
import { startPrograms } from './programs.ts';
import type { Programs } from './programs.ts';
import { decoded, findSecrets } from './search.ts';

const marked = (what: string) => `marked-${what}-${randomBytes(9).toString('hex')}`;
const secrets: Record<string, string> = {
  'pool password': marked('password'),
  'wrong pool password': marked('wrong'),
  'API token': marked('token'),
  'cloud-init secret': marked('user-data'),
};
const LOGIN = { user: 'root', password: secrets['pool password'] ?? '' };
const operator = generateHostKey();
/** Everything that the outside could read of these runs, by where it was read. */
const texts: Record<string, string> = {};

let site: Site;
let programs: Programs;
beforeAll(async () => {
  site = await startSite({ worker: false, lab: { pools: [{ ...defaultPool(), ...LOGIN }] } });
  const passwords = { ams1: LOGIN.password, ams2: secrets['wrong pool password'] ?? '' };
  programs = await startPrograms(site, { token: secrets['API token'] ?? '', passwords });
});
afterAll(async () => {
  await programs.stop();
  await site.stop();
});

interface View {
  readonly id: string;
  readonly state: string;
  readonly failure?: { readonly code: string };
  readonly result?: unknown;
}

async function ask(method: string, path: string, body?: unknown): Promise<View> {
  const response = await fetch(`${programs.apiUrl}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${secrets['API token']}`,
      ...{ 'content-type': 'application/json', 'idempotency-key': randomUUID() },
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  texts[`answer to ${method} ${path} ${randomUUID()}`] = text;
  return (JSON.parse(text) as { run: View }).run;
}

async function run(operation: string, input: Record<string, unknown>): Promise<View> {
  const { id } = await ask('POST', '/v1/runs', { operation, input });
  const ended = ['succeeded', 'failed', 'cancelled', 'needs-operator'];
  return eventually(
    () => ask('GET', `/v1/runs/${id}`),
    (one) => ended.includes(one.state),
    `run ${id} ends`,
  );
}

const vm = (name: string, pool = 'ams1') => ({
  ...{ pool, name, template: 'debian-12', networks: ['tenant'], addressTimeoutSeconds: 5 },
  sshAuthorizedKeys: [operator.publicKey],
  userData: `#cloud-config\nwrite_files:\n  - path: /etc/secret\n    content: ${secrets['cloud-init secret']}\n`,
});

async function hostKeyOf(name: string): Promise<string> {
  const drive = [...site.lab.world.store.entries('VDI')].find(
    (one) => one.record.name_label === `${name} config-drive`,
  );
  const content = await site.lab.world.contents.read(drive?.ref ?? '');
  // A line of the private key is as good as the key, and survives every way of indenting it.
  const line = /PRIVATE KEY-----\s+\S+\s+(\S+)/.exec(content?.toString('latin1') ?? '')?.[1];
  if (line === undefined) throw new Error(`no private host key on the config drive of ${name}`);
  return line;
}

describe('secrets', () => {
  it('arrive where they belong', async () => {
    const deployed = await run('deploy-vm', vm('keeper'));
    expect(deployed.state).toBe('succeeded');
    secrets['SSH host key'] = await hostKeyOf('keeper');
    for (const { ref } of site.lab.world.store.entries('session')) secrets[`session ${ref}`] = ref;
    const result = deployed.result as DeployVmResult;
    const printed = await runOverSsh({
      ...{ address: result.address, port: result.sshPort, user: 'debian', privateKey: operator.privateKey },
      ...{ expectedPublicKey: result.hostPublicKey, command: 'cat /etc/secret', timeoutMs: 10_000 },
    });
    expect(printed.trim()).toBe(secrets['cloud-init secret']);
    expect(Object.keys(secrets).filter((name) => name.startsWith('session'))).not.toEqual([]);
  });

  it('are at hand in every kind of failure', async () => {
    const [session] = Object.values(secrets).filter((value) => value.startsWith('OpaqueRef'));
    site.lab.plan({ method: 'VM.clone', kind: 'refused', error: ['SESSION_INVALID', session ?? ''] });
    site.lab.plan({ method: 'VM.provision', kind: 'refused', error: ['LICENCE_RESTRICTION', LOGIN.password] });
    site.lab.plan({ method: 'guest.boot', object: 'mute', kind: 'never-boots' });
    expect((await run('deploy-vm', vm('refused'))).failure?.code).toBe('POOL_REFUSED');
    expect((await run('deploy-vm', vm('mute'))).failure?.code).toBe('GUEST_NO_ADDRESS');
    expect((await run('deploy-vm', vm('stranger', 'ams2'))).failure?.code).toBe('POOL_CREDENTIALS_REFUSED');
    expect((await run('delete-vm', { pool: 'ams1', name: 'keeper' })).state).toBe('succeeded');
    await ask('GET', '/v1/runs');
    await ask('POST', '/v1/runs', { operation: 'deploy-vm', input: { ...vm('Bad_Name') } });
  });

  it('are in no history, log, answer or table', async () => {
    Object.assign(texts, await histories(site), await tables(), { 'log of API and worker': programs.log() });
    expect(Object.keys(texts).length).toBeGreaterThan(10);
    expect(findSecrets(secrets, texts)).toEqual([]);
  });

  it('would have been found: a planted leak in a real history is', async () => {
    const leak = ApplicationFailure.nonRetryable(`login as root with ${LOGIN.password} failed`, 'BUG');
    const leaky = await startSite({
      activities: (deps) => ({ ...createActivities(deps), placeVm: () => Promise.reject(leak) }),
    });
    const { id } = await leaky.request('deploy-vm', vm('leaky'));
    await leaky.ended(id);
    const found = findSecrets(secrets, await histories(leaky));
    await leaky.stop();
    expect(new Set(found.map(({ secret }) => secret))).toEqual(new Set(['pool password']));
  });

  it.each(Object.keys(secrets))('would have been found in base64, URLs and JSON: %s', (name) => {
    const value = secrets[name] ?? '';
    const leaks = {
      base64: Buffer.from(`{"a":"${value}"}`).toString('base64'),
      url: `https://host/?q=${encodeURIComponent(value)}`,
      json: JSON.stringify({ deep: { value } }),
    };
    const places = findSecrets({ [name]: value }, leaks).map(({ place }) => place);
    expect(new Set(places)).toEqual(new Set(Object.keys(leaks)));
  });
});

async function histories(from: Site): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const { workflowId, id } of await from.store.list({ limit: 100, order: 'newest' })) {
    const history = await from.temporal.workflow.getHandle(workflowId).fetchHistory();
    found[`history of ${id}`] = decoded(historyToJSON(history));
  }
  return found;
}

async function tables(): Promise<Record<string, string>> {
  const client = new pg.Client({ connectionString: site.databaseUrl });
  await client.connect();
  const found: Record<string, string> = {};
  for (const table of ['runs', 'run_events', 'ledger', 'locks', 'run_secrets', 'vms']) {
    const { rows } = await client.query(`select t::text as row from ${table} t`);
    found[`table ${table}`] = JSON.stringify(rows);
  }
  await client.end();
  return found;
}
