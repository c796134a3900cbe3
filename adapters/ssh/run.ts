import ssh2 from 'ssh2';
import { OperationFailure } from '../../domain/errors.ts';
import { blobOf } from './host-key.ts';

export interface RemoteCommand {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** OpenSSH PEM. */
  readonly privateKey: string;
  /** The only host key that is accepted: known before the first connection. */
  readonly expectedPublicKey: string;
  /** A fixed command: never built from data, which goes over stdin. */
  readonly command: string;
  readonly timeoutMs: number;
}

/** Runs one command and answers what it printed on stdout; a non-zero exit is an error with its stderr. */
export async function runOverSsh(request: RemoteCommand): Promise<string> {
  const client = new ssh2.Client();
  const where = `${request.user}@${request.address}:${request.port}`;
  const deadline = AbortSignal.timeout(request.timeoutMs);
  try {
    return await new Promise<string>((resolve, reject) => {
      deadline.addEventListener('abort', () => reject(unanswered(where, `no end within ${request.timeoutMs} ms`)));
      client.on('error', (error) => reject(unanswered(where, error.message)));
      client.on('ready', () => {
        execute(client, request.command, where).then(resolve, reject);
      });
      client.connect(settingsOf(request));
    });
  } finally {
    client.destroy();
  }
}

function settingsOf(request: RemoteCommand): ssh2.ConnectConfig {
  const expected = blobOf(request.expectedPublicKey);
  return {
    host: request.address,
    port: request.port,
    username: request.user,
    privateKey: request.privateKey,
    readyTimeout: request.timeoutMs,
    algorithms: { serverHostKey: ['ssh-ed25519'] },
    hostVerifier: (presented: Buffer) => presented.equals(expected),
  };
}

function execute(client: ssh2.Client, command: string, where: string): Promise<string> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) return reject(unanswered(where, error.message));
      let output = '';
      let complaints = '';
      channel.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
      channel.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString('utf8')));
      channel.on('close', (code: number | null) => {
        if (code === 0) resolve(output);
        else reject(unanswered(where, `${command} ended with ${code ?? 'no exit status'}: ${complaints.trim()}`));
      });
    });
  });
}

function unanswered(where: string, why: string): OperationFailure {
  return new OperationFailure('GUEST_NO_SSH', `SSH on ${where}: ${why}.`, { object: where });
}
