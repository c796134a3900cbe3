import { createHash } from 'node:crypto';
import ssh2 from 'ssh2';

export interface HostKey {
  /** OpenSSH PEM, unencrypted: a secret. */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…`, without a comment. */
  readonly publicKey: string;
  /** `SHA256:…`, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
}

/** A new ed25519 host key, to be injected into a machine before its first boot. */
export function generateHostKey(): HostKey {
  const pair = newKeyPair();
  const publicKey = withoutComment(pair.public);
  return { privateKey: pair.private, publicKey, fingerprint: fingerprintOf(publicKey) };
}

/** About one ed25519 pair in 300 that ssh2 1.17 makes is malformed (mscdex/ssh2#1513): such a pair is thrown away. */
function newKeyPair(): { readonly private: string; readonly public: string } {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    const halves = [ssh2.utils.parseKey(pair.private), ssh2.utils.parseKey(pair.public)];
    if (!halves.some((half) => half instanceof Error)) return pair;
  }
}

/** `SHA256:…` of a public key in OpenSSH form; the comment does not matter. Throws a TypeError for anything else. */
export function fingerprintOf(publicKey: string): string {
  return fingerprintOfBlob(blobOf(publicKey));
}

/** The same of the key as it travels in the key exchange (RFC 4253, section 6.6). */
export function fingerprintOfBlob(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** The binary form of `ssh-ed25519 AAAA…`. */
export function blobOf(publicKey: string): Buffer {
  const parsed = ssh2.utils.parseKey(publicKey);
  if (parsed instanceof Error) throw new TypeError(`not a public key in OpenSSH form: ${parsed.message}`);
  return parsed.getPublicSSH();
}

function withoutComment(publicKey: string): string {
  return publicKey.trim().split(' ').slice(0, 2).join(' ');
}
