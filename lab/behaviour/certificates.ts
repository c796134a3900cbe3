import { X509Certificate } from 'node:crypto';
import type { TlsIdentity } from '../certificate.ts';
import { selfSigned } from '../certificate.ts';
import type { Handlers } from '../dispatch/call.ts';
import { formatDate } from '../world/dates.ts';
import type { World } from '../world/world.ts';
import { internalError } from '../xapi-error.ts';

const identityNote = (hostUuid: string): string => `tls-identity/${hostUuid}`;

/** A new key and certificate for the host, in place of what it had. */
function renewIdentity(world: World, host: string): TlsIdentity {
  const { uuid, hostname, address, certificates } = world.store.get('host', host);
  const identity = selfSigned(hostname, address);
  const { validFrom, validTo, fingerprint, fingerprint256 } = new X509Certificate(identity.cert);
  for (const old of certificates) world.store.destroy('Certificate', old);
  world.store.create('Certificate', {
    host,
    type: 'host',
    not_before: formatDate(Date.parse(validFrom)),
    not_after: formatDate(Date.parse(validTo)),
    fingerprint: fingerprint256,
    fingerprint_sha256: fingerprint256,
    fingerprint_sha1: fingerprint,
  });
  world.setNote(identityNote(uuid), JSON.stringify(identity));
  return identity;
}

function knownIdentity(world: World, host: string): TlsIdentity | undefined {
  const note = world.note(identityNote(world.store.get('host', host).uuid));
  return note === undefined ? undefined : (JSON.parse(note) as TlsIdentity);
}

/** What the host shows its clients; made when it is first asked for. */
export const identityOf = (world: World, host: string): TlsIdentity =>
  knownIdentity(world, host) ?? renewIdentity(world, host);

function reset(world: World, host: string): void {
  renewIdentity(world, host);
  world.machines.of(host).listener?.renew();
}

export const certificateBehaviour: Handlers = {
  'host.get_server_certificate': ({ world }, host) => {
    const identity = knownIdentity(world, host);
    if (identity === undefined)
      throw internalError('Unix.Unix_error(Unix.ENOENT, "open", "/etc/xensource/xapi-ssl.pem")');
    return identity.cert;
  },
  'host.reset_server_certificate': ({ world }, host) => reset(world, host),
  'host.emergency_reset_server_certificate': ({ world, host }) => reset(world, host),
};
