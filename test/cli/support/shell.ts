import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { runCli } from '../../../cli/program.ts';
import { ioFrom, stateFolder } from '../../../cli/surroundings.ts';
import { ProcessLabHost } from '../../../bin/rehearsal/lab-host.ts';
import { readSecretText } from '../../../bin/secret-files.ts';
import type { Rig } from '../../api/support/rig.ts';
import { openApi, TOKEN } from '../../api/support/rig.ts';
import { program } from './processes.ts';

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a command is typed, beside its words. */
export interface Typing {
  /** Wins over the operator's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** What a pipe or a file brings on stdin. */
  readonly stdin?: string;
  /** All three streams are a terminal of this size. */
  readonly terminal?: { readonly columns?: number; readonly rows?: number };
  /** What the person types at that terminal; nothing at all, and no end either, when left out. */
  readonly keys?: string;
}

/** The command line as an operator types it, run in the process of the test: nothing of the process is used but files. */
export class Shell {
  readonly folder: string;
  readonly #env: Readonly<Record<string, string>>;

  /** @param folder where the operator is, and is at home */
  constructor(folder: string, env: Readonly<Record<string, string>> = {}) {
    this.folder = folder;
    this.#env = env;
  }

  async run(args: readonly string[], typing: Typing = {}): Promise<Finished> {
    return this.start(args, typing).finished;
  }

  start(args: readonly string[], { env: more = {}, stdin = '', terminal, keys }: Typing = {}): RunningCommand {
    const env = { ...this.#env, ...more };
    const [out, err] = [new Written(), new Written()];
    const ctrlC = new AbortController();
    const screen = { isTTY: terminal !== undefined, ...terminal };
    const io = ioFrom({
      ...{ env, folder: this.folder, home: this.folder },
      stdin: Object.assign(keys === undefined ? new PassThrough() : Readable.from([keys]), {
        isTTY: terminal !== undefined,
      }),
      stdout: { ...screen, write: (text) => out.add(text) },
      stderr: { ...screen, write: (text) => err.add(text) },
      readStdin: () => stdin,
      readSecret: readSecretText,
      lab: new ProcessLabHost(program('lab'), stateFolder(env, this.folder)),
      version: '0.0.0',
      interrupted: ctrlC.signal,
    });
    const finished = runCli(args, io).then((code) => ({ code, stdout: out.text, stderr: err.text }));
    return { out, err, finished, interrupt: () => ctrlC.abort() };
  }
}

export interface RunningCommand {
  readonly out: Written;
  readonly err: Written;
  readonly finished: Promise<Finished>;
  /** Ctrl-C. */
  interrupt(this: void): void;
}

/** What a command has written to one of its streams. */
class Written {
  readonly parts: string[] = [];
  readonly #added = new EventEmitter();

  add(text: string): void {
    this.parts.push(text);
    this.#added.emit('part');
  }

  get text(): string {
    return this.parts.join('');
  }

  /** Resolves once there are so many parts. */
  async has(count: number): Promise<void> {
    while (this.parts.length < count) await once(this.#added, 'part');
  }
}

/** An API in the process of the test, as an operator finds it. */
export interface ServedApi {
  readonly url: string;
  /** Where the operator works; the token is in it. */
  readonly folder: string;
  /** What the operator's environment says. */
  readonly env: Readonly<Record<string, string>>;
}

/** The words of a deployment but the name of the VM. */
export const DEPLOY = ['deploy-vm', '--pool', 'ams1', '--template', 'debian-12', '--networks', 'tenant', '--name'];

/** The API of a test file and the command line of its operator, who has a folder with a token; all go with the last test. */
export async function openCommandLine(): Promise<{ rig: Rig; api: ServedApi; shell: Shell }> {
  const { rig, api: url } = await openApi();
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-cli-'));
  rig.onClose(() => Promise.resolve(rmSync(folder, { recursive: true })));
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, TOKEN, { mode: 0o600 });
  const env = { SWITCHBOARD_URL: url, SWITCHBOARD_TOKEN_FILE: tokenFile };
  return { rig, api: { url, folder, env }, shell: new Shell(folder, env) };
}
