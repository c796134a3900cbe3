import ssh2 from 'ssh2';
import { OperationFailure } from '../../domain/errors.ts';
import { blobOf, fingerprintOfBlob } from './host-key.ts';

/** `why` says in a few words what happened when nothing on the address speaks SSH yet: refused, silent, cut off. */
export type ProbeAnswer = { readonly answers: true } | { readonly answers: false; readonly why: string };

export interface ProbeRequest {
  readonly address: string;
  readonly port: number;
  /** `ssh-ed25519 AAAA…`: the key that was injected. */
  readonly expectedPublicKey: string;
  /** From the first packet to the verified key exchange. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Carries out the SSH key exchange, in which the server signs with its host key, and nothing more: no login, no credentials.
 * Whether silence is a failure is for the caller to say. Throws `HOST_KEY_MISMATCH` when another key answers, and the reason of
 * `signal` when aborted. The socket is closed in every case.
 */
export async function probeHostKey(request: ProbeRequest): Promise<ProbeAnswer> {
  request.signal.throwIfAborted();
  const client = new ssh2.Client();
  try {
    return await exchangeKeys(client, request);
  } finally {
    client.destroy();
  }
}

function exchangeKeys(client: ssh2.Client, request: ProbeRequest): Promise<ProbeAnswer> {
  const { address, port, timeoutMs, signal } = request;
  const expected = blobOf(request.expectedPublicKey);
  return new Promise((resolve, reject) => {
    const unanswered = (why: string) => resolve({ answers: false, why });
    const deadline = setTimeout(() => unanswered(`no key exchange within ${timeoutMs} ms`), timeoutMs);
    const onAbort = () => reject(reasonOf(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    // ssh2 reports the end of a connection more than once; the first word counts, later ones find the promise settled.
    client.on('error', (error) => unanswered(error.message));
    client.on('close', () => {
      clearTimeout(deadline);
      signal.removeEventListener('abort', onAbort);
      unanswered('connection closed during the key exchange');
    });
    // "handshake" comes after the server's signature over the exchange was verified with the key that hostVerifier accepted.
    client.on('handshake', () => resolve({ answers: true }));
    client.connect({
      host: address,
      port,
      username: 'switchboard-probe',
      authHandler: () => false,
      readyTimeout: 0,
      algorithms: { serverHostKey: ['ssh-ed25519'] },
      hostVerifier: (presented: Buffer) => {
        if (presented.equals(expected)) return true;
        reject(otherKey(request, expected, presented));
        return false;
      },
    });
  });
}

function otherKey(request: ProbeRequest, expected: Buffer, presented: Buffer): OperationFailure {
  const where = `${request.address}:${request.port}`;
  return new OperationFailure(
    'HOST_KEY_MISMATCH',
    `SSH on ${where} presents the host key ${fingerprintOfBlob(presented)}; expected is ${fingerprintOfBlob(expected)}, ` +
      `which was generated for this machine. Nothing was sent but the key exchange.`,
    { object: `SSH server ${where}` },
  );
}

/** The signal's own reason, as `throwIfAborted` would throw it. */
function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted', { cause: signal.reason });
}
