import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { testTemporalAddress } from '../../support/stack.ts';
import type { Rig } from '../step-cases/rig.ts';

const PROGRAM = fileURLToPath(new URL('../../../dist/bin/worker.js', import.meta.url));
const LAST_WORDS = 1_000;
const OWNER_ONLY = { mode: 0o600 };

/** Starts real worker processes (the compiled program) for one rig, one at a time. */
export class WorkerProcesses {
  readonly #folder = mkdtempSync(join(tmpdir(), 'switchboard-kill-'));
  readonly #logPath = join(this.#folder, 'worker.log');
  readonly #logFile = openSync(this.#logPath, 'a');
  readonly #environment: Record<string, string>;
  #worker: ChildProcess | undefined;

  /** `more` are further settings of the worker, by the names of its variables. */
  constructor({ site, databaseProxy }: Rig, more: Readonly<Record<string, string>> = {}) {
    const database = new URL(site.databaseUrl);
    database.hostname = '127.0.0.1';
    database.port = String(databaseProxy.port);
    const pools = site.pools.map(({ password, ...pool }) => {
      writeFileSync(join(this.#folder, `${pool.id}.password`), password, OWNER_ONLY);
      return { ...pool, passwordFile: `${pool.id}.password` };
    });
    writeFileSync(join(this.#folder, 'pools.yaml'), JSON.stringify({ pools }));
    writeFileSync(join(this.#folder, 'key'), site.secretsKey, OWNER_ONLY);
    this.#environment = {
      DATABASE_URL: database.href,
      TEMPORAL_ADDRESS: testTemporalAddress(),
      TEMPORAL_NAMESPACE: site.namespace,
      SWITCHBOARD_TASK_QUEUE: site.taskQueue,
      SWITCHBOARD_SECRETS_KEY_FILE: join(this.#folder, 'key'),
      SWITCHBOARD_CONFIG: join(this.#folder, 'pools.yaml'),
      SWITCHBOARD_STATE_DIR: this.#folder,
      ...more,
    };
  }

  /** Resolves when the worker says that it is ready. */
  async start(): Promise<void> {
    const stdio: StdioOptions = ['ignore', 'pipe', this.#logFile];
    const worker = spawn(process.execPath, [PROGRAM], { env: { ...env, ...this.#environment }, stdio });
    this.#worker = worker;
    const { stdout } = worker;
    if (stdout === null) throw new Error('the worker has no standard output');
    for await (const line of createInterface({ input: stdout })) {
      if (!line.includes('"ready":true')) continue;
      stdout.resume();
      return;
    }
    throw new Error(`the worker ended before it was ready: ${readFileSync(this.#logPath, 'utf8').slice(-LAST_WORDS)}`);
  }

  /** As the kernel does it when memory runs out: no warning, no last words. */
  async kill(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined || worker.exitCode !== null || worker.signalCode !== null) return;
    const ended = once(worker, 'exit');
    worker.kill('SIGKILL');
    await ended;
  }

  async close(): Promise<void> {
    await this.kill();
    closeSync(this.#logFile);
    rmSync(this.#folder, { recursive: true });
  }
}
