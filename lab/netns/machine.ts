import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { execute, start } from './commands.ts';
import type { CommandResult } from './commands.ts';

const initScript = fileURLToPath(new URL('./image/init.sh', import.meta.url));

/** A running machine: processes of their own, files of their own, in a network namespace that was made before. */
export class Machine {
  readonly #child: ChildProcess;
  readonly #pid: string;

  private constructor(child: ChildProcess, pid: string) {
    this.#child = child;
    this.#pid = pid;
  }

  /**
   * Rejects when the machine ends before it is up, with its last words.
   * @param disk folder on a file system of its own; it keeps what the machine writes, from one start to the next
   */
  static async powerOn(namespace: string, disk: string, onOutput: (line: string) => void): Promise<Machine> {
    for (const part of ['upper', 'work', 'root', 'home', 'root-home']) mkdirSync(join(disk, part), { recursive: true });
    const namespaces = ['unshare', '--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child=KILL'];
    const command = ['nsenter', `--net=/run/netns/${namespace}`, ...namespaces, '/bin/sh', initScript, disk];
    const child = start(command, ['ignore', 'pipe', 'pipe']);
    return new Promise((resolve, reject) => {
      const lastWords: string[] = [];
      const say = (line: string): void => {
        const pid = /^up (\d+)$/.exec(line)?.[1];
        if (pid !== undefined) resolve(new Machine(child, pid));
        else lastWords.push(line);
        onOutput(line);
      };
      for (const output of [child.stdout, child.stderr]) {
        if (output !== null) createInterface({ input: output }).on('line', say);
      }
      child.on('error', reject);
      child.on('close', (code) =>
        reject(new Error(`The machine ended with ${code}: ${lastWords.slice(-3).join('; ')}`)),
      );
    });
  }

  /** Runs a program inside, as root. */
  execute(command: readonly string[], input = ''): Promise<CommandResult> {
    return execute(this.#inside(command), input);
  }

  /** Like a power cut: every process of the machine is gone when it resolves. */
  async powerOff(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    // The first process of a PID namespace takes all others with it; its parent waits for the last.
    process.kill(Number(this.#pid), 'SIGKILL');
    await gone;
  }

  #inside(command: readonly string[]): string[] {
    return ['nsenter', '--target', this.#pid, '--mount', '--uts', '--ipc', '--net', '--pid', ...command];
  }
}
