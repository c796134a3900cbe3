import { readFileSync } from 'node:fs';
import { Agent, buildConnector } from 'undici';
import type { PoolTls } from './xapi.ts';

export interface Timeouts {
  /** To open a connection, TLS included. */
  readonly connectTimeoutMs: number;
  /** From a request to the end of its answer. */
  readonly callTimeoutMs: number;
}

/** The certificate is none of those that were pinned. Nothing was sent: no login, no session. */
class CertificateRefused extends Error {
  override readonly name = 'CertificateRefused';
  readonly code = 'CERTIFICATE_NOT_PINNED';
}

/**
 * The connections of one pool. xen-api can verify against the system's authorities or not at all; this adds an own authority, pins
 * and a connect timeout.
 */
export function createDispatcher(tls: PoolTls, { connectTimeoutMs, callTimeoutMs }: Timeouts): Agent {
  const connect =
    tls.mode === 'pinned'
      ? pinnedConnector(tls.sha256Fingerprints, connectTimeoutMs)
      : { timeout: connectTimeoutMs, ca: certificateAuthority(tls) };
  return new Agent({ connect, headersTimeout: callTimeoutMs, bodyTimeout: callTimeoutMs });
}

function certificateAuthority(tls: PoolTls): string | undefined {
  return tls.mode === 'ca' && tls.caFile !== undefined ? readFileSync(tls.caFile, 'utf8') : undefined;
}

/**
 * The pin replaces the chain of trust, so that Node must not judge the chain; the check of the pin stands between the handshake and
 * the first byte of HTTP. Sessions are not resumed: every connection shows its certificate.
 */
function pinnedConnector(fingerprints: readonly string[], connectTimeoutMs: number): buildConnector.connector {
  const pins = new Set(fingerprints.map(normalised));
  const connect = buildConnector({ timeout: connectTimeoutMs, rejectUnauthorized: false, maxCachedSessions: 0 });
  return (options, callback) =>
    connect(options, (error, socket) => {
      if (error !== null) return callback(error, null);
      const seen = 'getPeerCertificate' in socket ? socket.getPeerCertificate().fingerprint256 : undefined;
      if (seen !== undefined && pins.has(normalised(seen))) return callback(null, socket);
      socket.destroy();
      return callback(new CertificateRefused(refusal(options, seen)), null);
    });
}

function refusal(options: buildConnector.Options, seen: string | undefined): string {
  const where = `${options.hostname}:${options.port}`;
  return seen === undefined
    ? `${where} shows no certificate, one of the pinned certificates is expected`
    : `${where} shows the certificate with SHA-256 ${seen}, which is not pinned for this pool`;
}

function normalised(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toLowerCase();
}
