import ssh2 from 'ssh2';
import { GuestBootError } from './boot-errors.ts';

/**
 * The private host keys of a booted guest, per type. Like cloud-init: keys from user-data are used as they are and nothing is generated beside
 * them; else the guest makes its own. The image's keys are deleted unless `ssh_deletekeys: false`, which leaves the ones of other types.
 * Throws GuestBootError when a key is unusable: sshd would not start.
 */
export function guestHostKeys(
  injected: ReadonlyMap<string, string>,
  deletesImageHostKeys: boolean,
  imageHostKeys: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const keys = new Map([...(deletesImageHostKeys ? [] : imageHostKeys), ...injected]);
  for (const [type, key] of keys) assertUsable(type, key);
  return keys.size === 0 ? generateHostKeys() : keys;
}

export function generateHostKeys(): Map<string, string> {
  return new Map([['ed25519', newEd25519KeyPair().private]]);
}

/** A key pair in OpenSSH's formats. One in 256 that ssh2 1.17 makes is malformed (its issue 1513), so those are thrown away. */
export function newEd25519KeyPair(): { readonly private: string; readonly public: string } {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    const halves = [ssh2.utils.parseKey(pair.private), ssh2.utils.parseKey(pair.public)];
    if (!halves.some((half) => half instanceof Error)) return pair;
  }
}

function assertUsable(type: string, key: string): void {
  const parsed = ssh2.utils.parseKey(key);
  if (parsed instanceof Error || !parsed.isPrivateKey()) {
    const reason = parsed instanceof Error ? parsed.message : 'it is a public key';
    throw new GuestBootError(`sshd does not start: the host key ${type}_private of user-data is unusable: ${reason}`);
  }
}
