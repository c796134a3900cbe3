import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadApiConfig, loadWorkerConfig } from '../../bin/config.ts';

const TOKEN = 'swb_0123456789abcdefghij';
const POOLS = `pools:
  - id: ams1
    addresses: [127.0.0.1, 127.0.0.2]
    tls: { mode: pinned, sha256Fingerprints: ['ab'] }
    passwordFile: ams1-password
  - id: ams2
    addresses: [127.0.0.3]
    port: 8443
    tls: { mode: ca, caFile: ca.pem }
    user: switchboard
    passwordFile: ams1-password
    guestSshPort: 2222
`;

describe('the configuration', () => {
  let folder: string;
  let env: Record<string, string>;

  const write = (name: string, content: string | Buffer, mode = 0o600): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'switchboard-config-'));
    write('ams1-password', 'of the pool\n');
    env = {
      DATABASE_URL: 'postgresql://switchboard@127.0.0.1:5432/switchboard',
      TEMPORAL_ADDRESS: '127.0.0.1:7233',
      TEMPORAL_NAMESPACE: 'operations',
      SWITCHBOARD_STATE_DIR: folder,
      SWITCHBOARD_TOKEN_FILE: write('token', `${TOKEN}\n`),
      SWITCHBOARD_CONFIG: write('switchboard.yaml', POOLS, 0o644),
    };
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('gives the API its defaults, its token and the ids of the pools, not their passwords', () => {
    rmSync(join(folder, 'ams1-password'));
    const config = loadApiConfig(env);
    expect(config).toMatchObject({
      databaseUrl: env.DATABASE_URL,
      host: '127.0.0.1',
      port: 8080,
      taskQueue: 'switchboard',
      token: TOKEN,
      ratePerMinute: 6_000,
      poolIds: ['ams1', 'ams2'],
    });
    expect(config.temporal).toMatchObject({
      namespace: 'operations',
      connectionOptions: { address: '127.0.0.1:7233' },
    });
  });

  it('gives the worker the pools with their passwords, and paths that lead on from the file', () => {
    expect(loadWorkerConfig(env).pools).toEqual([
      {
        id: 'ams1',
        addresses: ['127.0.0.1', '127.0.0.2'],
        port: 443,
        tls: { mode: 'pinned', sha256Fingerprints: ['ab'] },
        user: 'root',
        password: 'of the pool',
        guestSshPort: 22,
      },
      {
        id: 'ams2',
        addresses: ['127.0.0.3'],
        port: 8443,
        tls: { mode: 'ca', caFile: join(folder, 'ca.pem') },
        user: 'switchboard',
        password: 'of the pool',
        guestSshPort: 2222,
      },
    ]);
  });

  it('makes the key of the state folder once, for its owner only, and the same for API and worker', () => {
    const { secretsKey } = loadApiConfig(env);
    expect(secretsKey).toHaveLength(32);
    expect(loadWorkerConfig(env).secretsKey).toEqual(secretsKey);
    const file = join(folder, 'secrets', 'key');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file)).toEqual(secretsKey);
  });

  it('never makes a key in the place of one that was named and is missing', () => {
    const named = join(folder, 'shared-key');
    expect(() => loadApiConfig({ ...env, SWITCHBOARD_SECRETS_KEY_FILE: named })).toThrow(
      /SWITCHBOARD_SECRETS_KEY_FILE/,
    );
    write('shared-key', Buffer.alloc(31));
    expect(() => loadApiConfig({ ...env, SWITCHBOARD_SECRETS_KEY_FILE: named })).toThrow(/31 bytes/);
    expect(() => statSync(join(folder, 'secrets'))).toThrow();
  });

  it('tells every fault at once and names the variable or the path in the file', () => {
    write(
      'switchboard.yaml',
      POOLS.replace('port: 8443', 'port: https').replace('tls: { mode: pinned', 'tls: { mode: any'),
    );
    const broken = {
      ...env,
      DATABASE_URL: 'mysql://127.0.0.1/db',
      SWITCHBOARD_API_PORT: '70000',
      SWITCHBOARD_TOKEN_FILE: join(folder, 'none'),
      SWITCHBOARD_TEMPORAL_UI_URL: 'temporal.example',
    };
    const faults = faultsOf(() => loadApiConfig(broken));
    for (const variable of Object.keys(broken).filter((name) => broken[name as keyof typeof broken] !== env[name])) {
      expect(faults).toContain(`  ${variable}: `);
    }
    expect(faults).toContain('switchboard.yaml: pools.0.tls');
    expect(faults).toContain('switchboard.yaml: pools.1.port');
  });

  it.each(['token', 'ams1-password'])(
    'refuses the file %s when others can read it and says how to correct that',
    (name) => {
      chmodSync(join(folder, name), 0o640);
      const load = name === 'token' ? loadApiConfig : loadWorkerConfig;
      expect(faultsOf(() => load(env))).toContain(`mode 0640): chmod 600 ${join(folder, name)}`);
    },
  );

  it('refuses a key file that others can read', () => {
    mkdirSync(join(folder, 'secrets'));
    write(join('secrets', 'key'), Buffer.alloc(32), 0o604);
    expect(faultsOf(() => loadWorkerConfig(env))).toContain('chmod 600');
  });

  it.each([
    ['two pools with one id', POOLS.replace('ams2', 'ams1'), 'two pools have the same id'],
    ['a file that is no YAML', 'pools: [', 'switchboard.yaml: '],
    ['a setting that nobody knows', `${POOLS}colour: red\n`, 'switchboard.yaml: the file: Unrecognized key: "colour"'],
  ])('refuses %s', (_what, text, fault) => {
    write('switchboard.yaml', text);
    expect(faultsOf(() => loadWorkerConfig(env))).toContain(fault);
  });

  it('counts an empty variable as not set', () => {
    expect(loadApiConfig({ ...env, SWITCHBOARD_API_PORT: '', SWITCHBOARD_CONFIG: '' })).toMatchObject({
      port: 8080,
      poolIds: [],
    });
    expect(loadApiConfig({ ...env, SWITCHBOARD_TOKEN_FILE: '' }).token).toBeUndefined();
    expect(faultsOf(() => loadApiConfig({ ...env, DATABASE_URL: '' }))).toContain('DATABASE_URL');
  });
});

function faultsOf(load: () => unknown): string {
  try {
    load();
  } catch (error) {
    return String(error);
  }
  throw new Error('the configuration was accepted');
}
