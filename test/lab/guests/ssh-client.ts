import { once } from 'node:events';
import ssh2 from 'ssh2';

export interface Login {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly privateKey?: string;
}

export interface Answer {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
  /** As in an authorized_keys file: type and base64, without a comment. */
  readonly hostKey: string;
}

/** Logs in, runs one command, logs out. Rejects when the login fails. */
export async function runOverSsh(login: Login, command: string): Promise<Answer> {
  const client = new ssh2.Client();
  const closed = once(client, 'close');
  let hostKey = '';
  try {
    client.connect({
      ...login,
      hostVerifier: (key: Buffer) => {
        hostKey = `${key.toString('latin1', 4, 4 + key.readUInt32BE(0))} ${key.toString('base64')}`;
        return true;
      },
    });
    await once(client, 'ready');
    return { ...(await execute(client, command)), hostKey };
  } finally {
    client.end();
    await closed;
  }
}

function execute(client: ssh2.Client, command: string): Promise<Omit<Answer, 'hostKey'>> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) {
        reject(error);
        return;
      }
      const output = { stdout: '', stderr: '' };
      channel.on('data', (data: Buffer) => (output.stdout += data.toString()));
      channel.stderr.on('data', (data: Buffer) => (output.stderr += data.toString()));
      channel.on('close', (exitCode: number) => resolve({ ...output, exitCode }));
    });
  });
}
