import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseCompose } from './compose-file.ts';
import { faultsOf, variablesOf } from './program-facts.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const written = readFileSync(join(root, 'docker-compose.yml'), 'utf8');

const facts = {
  variables: variablesOf(root),
  hasProgram: (path: string) => existsSync(join(root, path.replace(/^dist\//, '').replace(/\.js$/, '.ts'))),
  hasFile: (path: string) => existsSync(join(root, path)),
};

/** The file with one thing changed; a plant that changes nothing would prove nothing. */
function planted(from: string, to: string): string[] {
  expect(written).toContain(from);
  return faultsOf(parseCompose(written.replaceAll(from, to)), facts);
}

describe('docker-compose.yml', () => {
  it('agrees with the programs it starts', () => {
    expect(faultsOf(parseCompose(written), facts)).toEqual([]);
  });

  it.each([
    ['a program that is not there', 'dist/bin/migrate.js', 'dist/bin/upgrade.js', 'migrate: there is no program'],
    ['a variable nobody reads', 'SWITCHBOARD_API_HOST', 'SWITCHBOARD_API_ADDRESS', 'api: no program reads'],
    ['a port nobody serves', '127.0.0.1:8080:8080', '127.0.0.1:8080:8081', 'api: nothing serves port 8081'],
    ['a port for everybody', '127.0.0.1:8233:8080', '0.0.0.0:8233:8080', 'temporal-ui: port'],
    ['a moving image', 'temporalio/server:1.31.2', 'temporalio/server:latest', 'temporal: image'],
    ['an image without a tag', 'temporalio/ui:2.49.1', 'temporalio/ui', 'temporal-ui: image'],
    [
      'a password in the file',
      'POSTGRES_PASSWORD_FILE: /run/secrets/postgres_password',
      'POSTGRES_PASSWORD: x',
      'postgres: POSTGRES_PASSWORD holds',
    ],
    [
      'a secret with a default place',
      '${SWITCHBOARD_SECRETS_DIR:?the folder that deploy/make-secrets.sh has filled}',
      './secrets',
      'secret postgres_password',
    ],
    [
      'a secret that is not given',
      'secrets: [switchboard_password, secrets_key, api_token]',
      'secrets: [switchboard_password, secrets_key]',
      'api: the secret api_token',
    ],
    [
      'a script that is not there',
      './deploy/create-databases.sh:',
      './deploy/make-databases.sh:',
      'databases: there is no file',
    ],
    ['a container run by root', "user: '1000:1000'", "user: '0:0'", 'api: runs as root'],
    ['a part that stays down', 'restart: unless-stopped', "restart: 'no'", 'worker: its restart policy'],
  ])('is refused with %s', (_what, from, to, fault) => {
    expect(planted(from, to)).toContainEqual(expect.stringContaining(fault));
  });
});

const isInstalled = spawnSync('docker-compose', ['version']).error === undefined;
const withCompose = isInstalled || process.env['CI'] === 'true' ? describe : describe.skip;

withCompose('docker-compose', () => {
  const check = (env: Record<string, string>) =>
    spawnSync('docker-compose', ['--file', join(root, 'docker-compose.yml'), 'config'], {
      env: { PATH: process.env['PATH'], ...env },
      encoding: 'utf8',
    });
  const given = { SWITCHBOARD_SECRETS_DIR: '/secrets', SWITCHBOARD_CONFIG_DIR: '/config' };

  it('takes the file when both folders are named', () => {
    const { status, stderr } = check(given);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it.each(['SWITCHBOARD_SECRETS_DIR', 'SWITCHBOARD_CONFIG_DIR'])('refuses to go on without %s and says so', (name) => {
    const { status, stderr } = check({ ...given, [name]: '' });
    expect(status).not.toBe(0);
    expect(stderr).toContain('the folder');
  });
});
