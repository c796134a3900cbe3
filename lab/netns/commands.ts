import { execFile, spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';

/** What programs of a namespace find; the lab's own environment is none of their business. */
const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' };
const limitMs = 30_000;

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  /** 128 + signal number is not told apart: -1 when a signal or the time limit of 30 s ended it. */
  readonly exitCode: number;
}

/** Runs a program to its end with this text as its input. Rejects only when it cannot be started. */
export function execute(command: readonly string[], input = ''): Promise<CommandResult> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const options = { env: environment, timeout: limitMs, killSignal: 'SIGKILL', maxBuffer: 64 * 2 ** 20 } as const;
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error !== null && child.pid === undefined)
        reject(new Error(`${program} cannot be started`, { cause: error }));
      else resolve({ stdout, stderr, exitCode: child.exitCode ?? -1 });
    });
    // A program that ends without reading its input is its own affair.
    child.stdin?.on('error', () => undefined).end(input);
  });
}

/** Like execute, for its output; rejects with what the program complained about when it does not end with 0. */
export async function run(command: readonly string[], input = ''): Promise<string> {
  const { stdout, stderr, exitCode } = await execute(command, input);
  if (exitCode === 0) return stdout;
  throw new Error(`${command.join(' ')} ended with ${exitCode}: ${stderr.trim() || stdout.trim()}`);
}

/** Several commands of ip(8) in one process, all in this namespace. */
export async function ip(namespace: string, ...commands: readonly string[]): Promise<void> {
  await run(['ip', '-n', namespace, '-batch', '-'], `${commands.join('\n')}\n`);
}

/** Starts a program that the kernel kills when the lab dies, however it dies. */
export function start(command: readonly string[], stdio: StdioOptions): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', ...command], { env: environment, stdio });
}

/** The command, to be run in a network namespace but with the machine's own files. */
export function inNamespace(namespace: string, command: readonly string[]): string[] {
  return ['nsenter', `--net=/run/netns/${namespace}`, ...command];
}
