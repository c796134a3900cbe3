import { timingSafeEqual } from 'node:crypto';
import type { Server, Socket } from 'node:net';
import ssh2 from 'ssh2';
import type { AuthContext, Connection, ParsedKey, PublicKeyAuthContext } from 'ssh2';
import type { SshFault } from '../fault-spec.ts';
import { runCommand, type ShellView } from './guest-shell.ts';
import { newEd25519KeyPair } from './host-keys.ts';

export interface SshServiceOptions {
  /** Already listening; the service answers on it and closes it. */
  readonly server: Server;
  /** Private keys, in a format that sshd reads. */
  readonly hostKeys: readonly string[];
  readonly authorizedKeys: ReadonlyMap<string, readonly string[]>;
  readonly shell: ShellView;
  /** What is planned to go wrong with the connection that has just come in. */
  readonly faultOf: () => SshFault | undefined;
  /** Called once per connection: at its first attempt to log in, or, without one, at its end. */
  readonly onConnect: (user: string | undefined) => void;
  readonly log: (line: string) => void;
}

/** The SSH server of one guest: public key login only, single commands, no shell, no forwarding. */
export class SshService {
  readonly #options: SshServiceOptions;
  readonly #sockets = new Set<Socket>();
  readonly #keysByUser: ReadonlyMap<string, readonly ParsedKey[]>;

  constructor(options: SshServiceOptions) {
    this.#options = options;
    this.#keysByUser = new Map(
      [...options.authorizedKeys].map(([user, keys]) => [user, keys.flatMap((key) => this.#parsePublicKey(user, key))]),
    );
    const ssh = this.#newServer(options.hostKeys);
    options.server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      const fault = options.faultOf();
      if (fault !== undefined) breakSocket(socket, fault);
      if (fault?.kind === 'wrong-host-key') this.#newServer([newEd25519KeyPair().private]).injectSocket(socket);
      else if (!socket.destroyed) ssh.injectSocket(socket);
    });
  }

  /** Like a power cut: every connection ends at once. Resolves when the port is free again. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#options.server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #newServer(hostKeys: readonly string[]): ssh2.Server {
    return new ssh2.Server({ hostKeys: [...hostKeys], ident: 'OpenSSH_9.2p1' }, (connection) =>
      this.#serve(connection),
    );
  }

  #serve(connection: Connection): void {
    const reportOnce = onceOnly(this.#options.onConnect);
    connection.on('authentication', (context) => {
      reportOnce(context.username);
      this.#authenticate(context);
    });
    connection.on('session', (accept) => {
      accept().on('exec', (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        const { stdout, stderr, exitCode } = runCommand(command, this.#options.shell);
        channel.stderr.write(stderr);
        channel.write(stdout);
        channel.exit(exitCode);
        channel.end();
      });
    });
    connection.on('error', (error) => this.#options.log(`sshd: connection ended: ${error.message}`));
    connection.on('close', () => reportOnce(undefined));
  }

  #authenticate(context: AuthContext): void {
    if (context.method === 'publickey' && this.#isAuthorized(context)) {
      context.accept();
      return;
    }
    if (context.method !== 'none') this.#options.log(`sshd: ${context.method} of user ${context.username} refused`);
    context.reject(['publickey']);
  }

  /** A first request without signature only asks whether the key would do. */
  #isAuthorized({ username, key, signature, blob, hashAlgo }: PublicKeyAuthContext): boolean {
    const known = this.#keysByUser.get(username)?.find((candidate) => isSame(candidate.getPublicSSH(), key.data));
    if (!known) return false;
    return signature === undefined || blob === undefined || known.verify(blob, signature, hashAlgo);
  }

  #parsePublicKey(user: string, text: string): ParsedKey[] {
    const parsed = ssh2.utils.parseKey(text);
    if (!(parsed instanceof Error)) return [parsed];
    this.#options.log(`sshd: an authorized key of user ${user} is unusable: ${parsed.message}`);
    return [];
  }
}

/** Carries out what is planned, as far as it concerns the connection alone. */
export function breakSocket(socket: Socket, fault: SshFault): void {
  const reset = () => void socket.resetAndDestroy();
  if (fault.kind === 'ssh-refused') reset();
  if (fault.kind !== 'ssh-drops') return;
  if (fault.afterMs !== undefined) {
    const timer = setTimeout(reset, fault.afterMs);
    socket.on('close', () => clearTimeout(timer));
  }
  const { afterBytes } = fault;
  if (afterBytes !== undefined) socket.on('data', () => socket.bytesRead >= afterBytes && reset());
}

function isSame(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

function onceOnly(report: (user: string | undefined) => void): (user: string | undefined) => void {
  let reported = false;
  return (user) => {
    if (!reported) report(user);
    reported = true;
  };
}
