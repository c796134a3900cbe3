import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { LabHost, LabRequest, RunningLab, StartedLab } from '../../cli/lab/lab-host.ts';
import { labReadyFrom } from '../stack/lab-pools.ts';
import { endGroup, identityOf, isRunning } from '../stack/process-identity.ts';
import { parseJson } from '../stack/state-lock.ts';

/** How long a lab may take to end by itself. */
const stopLimitMs = 30_000;

const recordSchema = z.object({ pid: z.number().int(), startedAt: z.string(), controlUrl: z.url() });

/** Keeps the lab as a process of its own, and what is known of it in a folder that only its owner can enter. */
export class ProcessLabHost implements LabHost {
  readonly #program: string;
  readonly #folder: string;

  /**
   * @param program the lab's, compiled
   * @param folder need not exist
   */
  constructor(program: string, folder: string) {
    this.#program = program;
    this.#folder = folder;
  }

  async start(request: LabRequest): Promise<StartedLab> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const logFile = join(this.#folder, 'lab.log');
    const log = openSync(logFile, 'w', 0o600);
    const args = ['--enable-source-maps', this.#program];
    const env = environmentOf(request);
    const child = spawn(process.execPath, args, { env, detached: true, stdio: ['ignore', 'pipe', log] });
    closeSync(log);
    const ended = endOf(child);
    const line = await Promise.race([firstLine(child), ended]);
    const { pid } = child;
    const identity = pid === undefined ? undefined : identityOf(pid);
    if (typeof line === 'string' || identity === undefined) {
      throw new Error(
        readFileSync(logFile, 'utf8').trim() ||
          `The lab did not come up: ${typeof line === 'string' ? line : 'it ended'}.`,
      );
    }
    const { controlUrl } = labReadyFrom(line.ready);
    writeFileSync(this.#record(), JSON.stringify({ ...identity, controlUrl }), { mode: 0o600 });
    return { pid: identity.pid, controlUrl, logFile, ended, release: () => letGo(child) };
  }

  find(): RunningLab | undefined {
    const record = this.#read();
    return record !== undefined && isRunning(record) ? record : undefined;
  }

  async stop(): Promise<RunningLab | undefined> {
    const running = this.find();
    if (running !== undefined) await endGroup(running.pid, 'SIGTERM', stopLimitMs);
    rmSync(this.#record(), { force: true });
    return running;
  }

  #record(): string {
    return join(this.#folder, 'lab.json');
  }

  #read(): z.output<typeof recordSchema> | undefined {
    try {
      return recordSchema.safeParse(parseJson(readFileSync(this.#record(), 'utf8'))).data;
    } catch {
      // never written, or removed meanwhile
      return undefined;
    }
  }
}

/** Nothing of the caller's own settings: a token does not belong into a lab. */
function environmentOf({ scenario, port, controlPort, stateFile, speed }: LabRequest): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    SWITCHBOARD_LAB_SCENARIO: scenario,
    SWITCHBOARD_LAB_PORT: port,
    SWITCHBOARD_LAB_CONTROL_PORT: controlPort,
    SWITCHBOARD_LAB_STATE_FILE: stateFile,
    SWITCHBOARD_LAB_SPEED: speed,
  };
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}

async function firstLine(child: ChildProcess): Promise<{ readonly ready: unknown }> {
  if (child.stdout === null) return new Promise(() => undefined);
  for await (const line of createInterface({ input: child.stdout })) return { ready: parseJson(line) };
  return new Promise(() => undefined);
}

function letGo(child: ChildProcess): void {
  child.stdout?.destroy();
  child.unref();
}
