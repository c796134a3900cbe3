import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InProcessGuests, type BootedGuest } from '../../../lab/guests/guest.ts';
import { newEd25519KeyPair } from '../../../lab/guests/host-keys.ts';
import { driveWith, specOf } from './boot.ts';
import { runOverSsh, type Login } from './ssh-client.ts';

const hostKey = newEd25519KeyPair();
const operator = newEd25519KeyPair();
const router = newEd25519KeyPair();
const stranger = newEd25519KeyPair();
const connections: { vmUuid: string; user?: string }[] = [];
const guests = new InProcessGuests({ onSshConnect: (event) => connections.push(event) });
const spec = specOf(
  driveWith({
    ssh_keys: { ed25519_private: hostKey.private, ed25519_public: hostKey.public },
    ssh_authorized_keys: [operator.public],
    users: ['default', { name: 'router', ssh_authorized_keys: [router.public] }],
    write_files: [
      { path: '/etc/motd', content: 'welcome\n' },
      { path: '/etc/token', content: Buffer.from('s3cret').toString('base64'), encoding: 'b64' },
    ],
    runcmd: ['touch /tmp/x'],
  }),
);
let guest: BootedGuest;

beforeAll(async () => {
  guest = await guests.boot(spec).booted;
});

afterAll(() => guests.close());

function login(changes: Partial<Login> = {}): Login {
  const { address: host, sshPort: port } = guest;
  return { host, port, username: 'debian', privateKey: operator.private, ...changes };
}

describe('the SSH server of a guest', () => {
  it('shows the injected host key and runs commands', async () => {
    const answer = await runOverSsh(login(), 'hostname');
    expect(answer).toEqual({ stdout: 'web-1\n', stderr: '', exitCode: 0, hostKey: hostKey.public.trim() });
  });

  it('lets a user in with the keys of its own', async () => {
    const answer = await runOverSsh(login({ username: 'router', privateKey: router.private }), 'true');
    expect(answer.exitCode).toBe(0);
  });

  it.each([
    ['a key that nobody authorised', { privateKey: stranger.private }],
    ['the key of another user', { privateKey: router.private }],
    ['a user that does not exist', { username: 'root' }],
    ['no key at all', { privateKey: undefined }],
  ])('refuses %s', async (_what, changes) => {
    await expect(runOverSsh(login(changes), 'true')).rejects.toThrow('All configured authentication methods failed');
  });

  it.each([
    ['cat /etc/motd', { stdout: 'welcome\n', stderr: '', exitCode: 0 }],
    ['cat /etc/token', { stdout: 's3cret', stderr: '', exitCode: 0 }],
    ['cat /none', { stdout: '', stderr: 'cat: /none: No such file or directory\n', exitCode: 1 }],
    ['cloud-init status --wait', { stdout: '\nstatus: done\n', stderr: '', exitCode: 0 }],
    ['reboot now', { stdout: '', stderr: 'bash: line 1: reboot: command not found\n', exitCode: 127 }],
  ])('answers "%s" as a shell does', async (command, expected) => {
    expect(await runOverSsh(login(), command)).toMatchObject(expected);
  });

  it('tells how long it is up', async () => {
    expect((await runOverSsh(login(), 'uptime')).stdout).toMatch(/^ \d\d:\d\d:\d\d up 0 min, /);
  });

  it('reports each connection once, with the user', async () => {
    connections.length = 0;
    await runOverSsh(login(), 'true');
    await expect(runOverSsh(login({ privateKey: stranger.private }), 'true')).rejects.toThrow();
    expect(connections).toEqual([
      { vmUuid: spec.vmUuid, user: 'debian' },
      { vmUuid: spec.vmUuid, user: 'debian' },
    ]);
  });
});

const ssh = '/usr/bin/ssh';

describe('the OpenSSH client', () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-ssh-'));

  afterAll(() => rmSync(folder, { recursive: true }));

  async function openSsh(knownHostKey: string): Promise<string> {
    const { address, sshPort } = guest;
    writeFileSync(join(folder, 'id'), operator.private, { mode: 0o600 });
    writeFileSync(join(folder, 'known_hosts'), `[${address}]:${sshPort} ${knownHostKey}\n`);
    const options = ['StrictHostKeyChecking=yes', 'BatchMode=yes', `UserKnownHostsFile=${join(folder, 'known_hosts')}`];
    const flags = options.flatMap((option) => ['-o', option]);
    const target = ['-i', join(folder, 'id'), '-p', String(sshPort), `debian@${address}`];
    return (await promisify(execFile)(ssh, ['-F', '/dev/null', ...flags, ...target, 'hostname'])).stdout;
  }

  (existsSync(ssh) ? it : it.skip)('accepts the host key that was injected', async () => {
    expect(await openSsh(hostKey.public)).toBe('web-1\n');
  });

  (existsSync(ssh) ? it : it.skip)('refuses the guest when another host key was expected', async () => {
    await expect(openSsh(stranger.public)).rejects.toThrow('Host key verification failed');
  });
});
