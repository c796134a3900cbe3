import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { testTemporalAddress } from '../support/stack.ts';
import type { Site } from '../support/site.ts';

export type ProgramName = 'api' | 'worker';

export interface Planted {
  readonly token: string;
  readonly databaseUrl: string;
  /** Password by pool id; every pool is the lab's. */
  readonly passwords: Readonly<Record<string, string>>;
}

/** The API and a worker as the programs that are shipped, configured by files, with everything they print. */
export class Programs {
  readonly #folder = mkdtempSync(join(tmpdir(), 'switchboard-secrets-'));
  readonly #env: Readonly<Record<string, string>>;
  readonly #printed: string[] = [];
  readonly #running: ChildProcess[] = [];
  apiUrl = '';

  constructor(site: Site, { token, databaseUrl, passwords }: Planted) {
    const [lab] = site.pools;
    const pools = Object.entries(passwords).map(([id, password]) => ({
      ...{ id, addresses: lab?.addresses, port: lab?.port, tls: { mode: 'none' }, user: 'root' },
      ...{ passwordFile: this.file(`${id}-password`, password), guestSshPort: lab?.guestSshPort },
    }));
    this.#env = {
      ...{ PATH: process.env['PATH'] ?? '', SWITCHBOARD_STATE_DIR: this.#folder, SWITCHBOARD_API_PORT: '0' },
      ...{ DATABASE_URL: databaseUrl, SWITCHBOARD_TASK_QUEUE: site.taskQueue },
      ...{ TEMPORAL_ADDRESS: testTemporalAddress(), TEMPORAL_NAMESPACE: site.namespace },
      SWITCHBOARD_CONFIG: this.file('switchboard.yaml', stringify({ pools })),
      SWITCHBOARD_TOKEN_FILE: this.file('token', token),
      SWITCHBOARD_SECRETS_KEY_FILE: this.file('key', site.secretsKey),
    };
  }

  async start(): Promise<void> {
    await this.#startOne('worker');
    this.apiUrl = (JSON.parse(await this.#startOne('api')) as { url: string }).url;
  }

  /** Writes a file as its owner's secret; answers its path. */
  file(name: string, content: string | Buffer): string {
    const path = join(this.#folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  }

  /** Starts a program that cannot work with this configuration; answers its exit code. */
  async exitCode(name: ProgramName, env: Readonly<Record<string, string>>): Promise<number> {
    const child = this.#spawn(name, env);
    const [code] = (await once(child, 'close')) as [number];
    return code;
  }

  log(): string {
    return this.#printed.join('');
  }

  async stop(): Promise<void> {
    for (const child of this.#running.reverse()) {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    }
    rmSync(this.#folder, { recursive: true });
  }

  #spawn(name: ProgramName, env: Readonly<Record<string, string>>) {
    const program = fileURLToPath(new URL(`../../dist/bin/${name}.js`, import.meta.url));
    const child = spawn(process.execPath, [program], {
      env: { ...this.#env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => this.#printed.push(text));
    }
    return child;
  }

  /** Answers the ready line. */
  async #startOne(name: ProgramName): Promise<string> {
    const child = this.#spawn(name, {});
    this.#running.push(child);
    return new Promise((resolve, reject) => {
      let line = '';
      child.stdout.on('data', (text: string) => {
        line += text;
        if (line.includes('\n')) resolve(line);
      });
      child.on('exit', (code) => reject(new Error(`${name} ended with ${code}: ${this.log()}`)));
    });
  }
}
