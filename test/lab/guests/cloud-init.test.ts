import { afterAll, describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import ssh2 from 'ssh2';
import { configureGuest, type GuestConfig } from '../../../lab/guests/cloud-init.ts';
import { InProcessGuests } from '../../../lab/guests/guest.ts';
import { newEd25519KeyPair } from '../../../lab/guests/host-keys.ts';
import { consoleLine, driveWith, specOf } from './boot.ts';
import { isoDrive, type Files } from './drives.ts';
import { runOverSsh } from './ssh-client.ts';

function configure(cloudConfig: object, others?: Files): GuestConfig & { console: readonly string[] } {
  const console: string[] = [];
  const mac = '00:16:3e:00:00:01';
  return { ...configureGuest(driveWith(cloudConfig, others), [mac], (line) => console.push(line)), console };
}

describe('the host name', () => {
  it.each([
    ['is the one of meta-data', {}, 'web-1'],
    ['is the one of user-data, if there is one', { hostname: 'db-1' }, 'db-1'],
    ['is the first part of the qualified one', { fqdn: 'mail.example.org' }, 'mail'],
  ])('%s', (_sentence, cloudConfig, expected) => {
    expect(configure(cloudConfig).hostname).toBe(expected);
  });
});

describe('user-data', () => {
  it.each([
    ['without a header', 'hostname: db-1\n', /first line is not #cloud-config/],
    ['in another format', '#cloud-config-archive\n- hostname: db-1\n', /first line is not #cloud-config/],
    ['that is a script', '#!/bin/sh\nhostname db-1\n', /is a script/],
    ['that is no YAML', '#cloud-config\nhostname: [\n', /user-data is not valid YAML/],
    ['that is no mapping', '#cloud-config\n- hostname\n', /user-data ignored/],
  ])('%s has no effect but a line on the console', (_what, userData, line) => {
    const config = configure({}, { 'user-data': userData });
    expect(config.hostname).toBe('web-1');
    expect(config.console).toContainEqual(expect.stringMatching(line));
  });

  it('loses only the keys that are wrong, and names what the lab does not carry out', () => {
    const config = configure({ hostname: 'db-1', users: 7, packages: ['nginx'] });
    expect(config.hostname).toBe('db-1');
    expect(config.console).toContainEqual(expect.stringMatching(/^cloud-init: users ignored: /));
    expect(config.console).toContain('cloud-init: packages is not carried out in the lab: ["nginx"]');
  });

  it('is read as YAML 1.1, as cloud-init reads it', () => {
    expect(configure({}, { 'user-data': '#cloud-config\nssh_deletekeys: no\n' }).deletesImageHostKeys).toBe(false);
  });
});

describe('authorised keys', () => {
  it.each([
    ['go to the default user', { ssh_authorized_keys: ['k'] }, { debian: ['k'] }],
    ['may be a single one', { ssh_authorized_keys: 'k' }, { debian: ['k'] }],
    ['go to nobody when the default user was abolished', { ssh_authorized_keys: ['k'], users: ['bob'] }, { bob: [] }],
    [
      'go to root when it may log in',
      { ssh_authorized_keys: ['k'], disable_root: false },
      { debian: ['k'], root: ['k'] },
    ],
  ])('%s', (_sentence, cloudConfig, expected) => {
    expect(Object.fromEntries(configure(cloudConfig).authorizedKeys)).toEqual(expected);
  });
});

describe('write_files', () => {
  it('decodes, appends and reports what it cannot decode', () => {
    const gzipped = gzipSync('packed').toString('base64');
    const { files, console } = configure({
      write_files: [
        { path: '/a', content: 'one ' },
        { path: '/a', content: 'two', append: true },
        { path: '/b', content: gzipped, encoding: 'gz+b64' },
        { path: '/c', content: 'no gzip', encoding: 'gzip' },
      ],
    });
    expect(Object.fromEntries([...files].map(([path, { content }]) => [path, content.toString()]))).toEqual({
      '/a': 'one two',
      '/b': 'packed',
    });
    expect(console).toContainEqual(expect.stringMatching(/^cloud-init: \/c not written: /));
  });

  it('takes permissions as text or as the octal number that YAML 1.1 reads, and the owner', () => {
    const { files } = configure({
      write_files: [{ path: '/a' }, { path: '/b', permissions: '0600', owner: 'haproxy:haproxy' }],
    });
    expect(files.get('/a')).toMatchObject({ permissions: '0644', owner: 'root' });
    expect(files.get('/b')).toMatchObject({ permissions: '0600', owner: 'haproxy:haproxy' });
    const bare = configure({}, { 'user-data': '#cloud-config\nwrite_files: [{ path: /c, permissions: 0755 }]\n' });
    expect(bare.files.get('/c')?.permissions).toBe('755');
  });
});

describe('runcmd', () => {
  it('takes lines for the shell and words of a program', () => {
    expect(configure({ runcmd: ['echo $HOME', ['touch', '/x', 7]] }).commands).toEqual([
      'echo $HOME',
      ['touch', '/x', '7'],
    ]);
  });
});

describe('the host key', () => {
  const guests = new InProcessGuests({});
  const user = newEd25519KeyPair();

  afterAll(() => guests.close());

  async function hostKeyWith(cloudConfig: object): Promise<string> {
    const spec = specOf(driveWith({ ssh_authorized_keys: [user.public], ...cloudConfig }));
    const { address: host, sshPort: port } = await guests.boot(spec).booted;
    return (await runOverSsh({ host, port, username: 'debian', privateKey: user.private }, 'true')).hostKey;
  }

  it('may be RSA', async () => {
    const rsa = ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 });
    expect(await hostKeyWith({ ssh_keys: { rsa_private: rsa.private } })).toBe(rsa.public.trim());
  });

  it('is made by the guest itself when none was injected, another one on each', async () => {
    expect(await hostKeyWith({})).not.toBe(await hostKeyWith({}));
  });

  it('is the one of the image, the same on each guest, when it was not to be deleted', async () => {
    expect(await hostKeyWith({ ssh_deletekeys: false })).toBe(await hostKeyWith({ ssh_deletekeys: false }));
  });

  it.each([
    ['garbage', 'Unsupported key format'],
    [newEd25519KeyPair().public, 'it is a public key'],
  ])('keeps sshd from starting when it is unusable', async (key, reason) => {
    const guest = guests.boot(specOf(driveWith({ ssh_keys: { ed25519_private: key } })));
    expect(await consoleLine(guest, /boot failed/)).toContain(
      `the host key ed25519_private of user-data is unusable: ${reason}`,
    );
  });
});

describe('a drive with meta-data that is no YAML', () => {
  it('does not boot', () => {
    const drive = isoDrive({ 'meta-data': '{', 'user-data': '' }, ['-rock']);
    expect(() => configureGuest(drive, [], () => undefined)).toThrow('meta-data cannot be used');
  });
});
