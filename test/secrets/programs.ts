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

/** The API and a worker as the programs that are shipped, with everything they print. */
export interface Programs {
  readonly apiUrl: string;
  log(): string;
  stop(): Promise<void>;
}

export interface PlantedFiles {
  readonly token: string;
  /** Password by pool id; every pool is the lab's. */
  readonly passwords: Readonly<Record<string, string>>;
}

export async function startPrograms(site: Site, planted: PlantedFiles): Promise<Programs> {
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-secrets-'));
  const env = writeFiles(folder, site, planted);
  const lines: string[] = [];
  const worker = await startProgram('worker', env, lines);
  const api = await startProgram('api', { ...env, SWITCHBOARD_API_PORT: '0' }, lines);
  return {
    apiUrl: api.ready.url ?? '',
    log: () => lines.join('\n'),
    stop: async () => {
      for (const { child } of [api, worker]) {
        child.kill('SIGTERM');
        if (child.exitCode === null) await once(child, 'exit');
      }
      rmSync(folder, { recursive: true });
    },
  };
}

function writeFiles(folder: string, site: Site, { token, passwords }: PlantedFiles): Record<string, string> {
  const secret = (name: string, content: string | Buffer) => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const [lab] = site.pools;
  const pools = Object.entries(passwords).map(([id, password]) => ({
    ...{ id, addresses: lab?.addresses, port: lab?.port, tls: { mode: 'none' }, user: 'root' },
    ...{ passwordFile: secret(`${id}-password`, password), guestSshPort: lab?.guestSshPort },
  }));
  return {
    ...{ DATABASE_URL: site.databaseUrl, TEMPORAL_ADDRESS: testTemporalAddress(), TEMPORAL_NAMESPACE: site.namespace },
    ...{ SWITCHBOARD_TASK_QUEUE: site.taskQueue, SWITCHBOARD_STATE_DIR: folder },
    SWITCHBOARD_CONFIG: secret('switchboard.yaml', stringify({ pools })),
    SWITCHBOARD_TOKEN_FILE: secret('token', token),
    SWITCHBOARD_SECRETS_KEY_FILE: secret('key', site.secretsKey),
  };
}

interface Started {
  readonly child: ChildProcess;
  readonly ready: { readonly url?: string };
}

async function startProgram(name: string, env: Record<string, string>, lines: string[]): Promise<Started> {
  const program = fileURLToPath(new URL(`../../dist/bin/${name}.js`, import.meta.url));
  const child = spawn(process.execPath, [program], { env: { PATH: process.env['PATH'], ...env }, stdio: 'pipe' });
  child.stderr.on('data', (chunk: Buffer) => lines.push(chunk.toString('utf8')));
  const ready = await new Promise<Started['ready']>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      lines.push(chunk.toString('utf8'));
      resolve(JSON.parse(chunk.toString('utf8')) as Started['ready']);
    });
    child.on('exit', (code) => reject(new Error(`${name} ended with ${code}: ${lines.join('\n')}`)));
  });
  return { child, ready };
}
