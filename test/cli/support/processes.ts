import { spawn } from 'node:child_process';
import type { ChildProcessByStdio, SpawnOptions } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Rig } from '../../api/support/rig.ts';
import { TOKEN } from '../../api/support/rig.ts';
import { testTemporalAddress } from '../../support/stack.ts';
import type { Finished, ServedApi } from './shell.ts';

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** Of util-linux: runs a command on a pseudo-terminal and hands over its exit code. */
export const PSEUDO_TERMINAL = 'script';

/** The program as it is shipped; `npm test` compiles it before the tests run. */
export function program(name: string): string {
  return fileURLToPath(new URL(`../../../dist/bin/${name}.js`, import.meta.url));
}

function spawnNode(
  name: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
  stdinFile = '/dev/null',
): Child {
  const inherited = { PATH: process.env['PATH'] ?? '', HOME: cwd };
  return spawnReading(stdinFile, process.execPath, [program(name), ...args], { cwd, env: { ...inherited, ...env } });
}

/** A file on stdin, pipes for the rest; the types of Node know descriptors not so well. */
function spawnReading(file: string, command: string, args: readonly string[], options: SpawnOptions): Child {
  const stdin = openSync(file, 'r');
  try {
    return spawn(command, args, { ...options, stdio: [stdin, 'pipe', 'pipe'] }) as Child;
  } finally {
    closeSync(stdin);
  }
}

export interface ApiProcess extends ServedApi {
  readonly child: Child;
  /** Its exit code. */
  readonly ended: Promise<number | null>;
  /** Everything it wrote to stdout until it ended. */
  readonly stdout: Promise<string>;
  /** Everything it has logged so far. */
  logged(this: void): string;
}

/** The API as a process of its own on the rig's database and namespace; ended with the rig. */
export async function startApiProcess(rig: Rig, port = 0): Promise<ApiProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-cli-'));
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, TOKEN, { mode: 0o600 });
  writeFileSync(join(folder, 'key'), randomBytes(32), { mode: 0o600 });
  const child = spawnNode('api', [], folder, {
    DATABASE_URL: rig.databaseUrl,
    TEMPORAL_ADDRESS: testTemporalAddress(),
    TEMPORAL_NAMESPACE: rig.namespace,
    SWITCHBOARD_API_PORT: String(port),
    SWITCHBOARD_TOKEN_FILE: tokenFile,
    SWITCHBOARD_SECRETS_KEY_FILE: join(folder, 'key'),
  });
  const ended = (once(child, 'close') as Promise<[number | null]>).then(([code]) => code);
  rig.onClose(async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true });
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (log += chunk));
  const stdout = textOf(child.stdout);
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { url } = JSON.parse(line) as { url: string };
  const env = { SWITCHBOARD_URL: url, SWITCHBOARD_TOKEN_FILE: tokenFile };
  return { url, folder, env, child, ended, stdout, logged: () => log };
}

/** The program itself as an operator starts it, for what only a process has: signals, pipes and terminals. */
export class ProcessShell {
  readonly #folder: string;
  readonly #env: Readonly<Record<string, string>>;

  constructor({ folder, env }: Pick<ServedApi, 'folder' | 'env'>) {
    this.#folder = folder;
    this.#env = env;
  }

  async run(args: readonly string[], stdinFile?: string): Promise<Finished> {
    return this.start(args, stdinFile).finished;
  }

  /** A file on stdin, when one is given. */
  start(args: readonly string[], stdinFile?: string) {
    const child = spawnNode('switchboard', args, this.#folder, this.#env, stdinFile);
    return { child, finished: outcomeOf(child) };
  }

  /** The same on a pseudo-terminal, with what is typed in a file; both outputs come as one. */
  async onTerminal(args: readonly string[], keysFile: string, env: Record<string, string> = {}): Promise<Finished> {
    const command = [process.execPath, program('switchboard'), ...args].map((word) => `'${word}'`).join(' ');
    const all = { PATH: process.env['PATH'] ?? '', HOME: this.#folder, TERM: 'xterm', ...this.#env, ...env };
    const options = { cwd: this.#folder, env: all };
    return outcomeOf(spawnReading(keysFile, PSEUDO_TERMINAL, ['-qec', command, '/dev/null'], options));
  }
}

/** The rest of what a child writes, and how it ends. */
export async function outcomeOf(child: Child): Promise<Finished> {
  const ended = once(child, 'close') as Promise<[number | null]>;
  const [stdout, stderr, [code]] = await Promise.all([textOf(child.stdout), textOf(child.stderr), ended]);
  return { code, stdout, stderr };
}

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await once(stream, 'close');
  return text;
}
