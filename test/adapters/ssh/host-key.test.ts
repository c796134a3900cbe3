import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import ssh2 from 'ssh2';
import { fingerprintOf, generateHostKey } from '../../../adapters/ssh/host-key.ts';

describe('a generated host key', () => {
  it('is an ed25519 pair whose halves belong together', () => {
    const key = generateHostKey();
    const parsed = ssh2.utils.parseKey(key.privateKey);
    if (parsed instanceof Error) throw parsed;
    expect(parsed.type).toBe('ssh-ed25519');
    expect(`ssh-ed25519 ${parsed.getPublicSSH().toString('base64')}`).toBe(key.publicKey);
  });

  it('is another one every time', () => {
    expect(generateHostKey().publicKey).not.toBe(generateHostKey().publicKey);
  });

  it('is read by OpenSSH, which sees the same public key and fingerprint', async () => {
    const key = generateHostKey();
    const folder = await mkdtemp(join(tmpdir(), 'host-key-'));
    try {
      const file = join(folder, 'key');
      await writeFile(file, key.privateKey, { mode: 0o600 });
      const printed = await promisify(execFile)('ssh-keygen', ['-y', '-f', file]);
      expect(printed.stdout.trim()).toBe(key.publicKey);
      const listed = await promisify(execFile)('ssh-keygen', ['-l', '-f', file]);
      expect(listed.stdout).toContain(key.fingerprint);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('keeps its fingerprint when a comment is added', () => {
    const key = generateHostKey();
    expect(fingerprintOf(`${key.publicKey} root@web-01`)).toBe(key.fingerprint);
  });

  it('has no fingerprint when it is no key', () => {
    expect(() => fingerprintOf('ssh-ed25519 nonsense')).toThrow(TypeError);
  });
});
