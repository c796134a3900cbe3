import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { labReadyFrom } from '../../bin/stack/lab-pools.ts';
import { openStateFolder } from '../../bin/stack/state-folder.ts';
import { Supervisor } from '../../bin/stack/supervisor.ts';
import type { PlainAnswer, PlainJob } from '../plain-script.ts';
import { LabControl } from './lab-control.ts';
import type { LabCall } from './lab-control.ts';
import { withStateFolder } from './temporary-state.ts';
import { GUEST_SSH_PORT, labEnvironment, namesOf, VM, WARM_UP } from './workload.ts';
import type { Profile, Workload } from './workload.ts';

export interface PlainSide {
  readonly elapsedMs: number;
  /** How many VMs were deployed in all, the warm-up included. */
  readonly vms: number;
  readonly calls: readonly LabCall[];
}

/** The baseline on a fresh lab of the same kind, with nothing else running. */
export async function measurePlainScript(profile: Profile, load: Workload, signal: AbortSignal): Promise<PlainSide> {
  return withStateFolder(async (stateDir) => {
    const supervisor = await Supervisor.open(openStateFolder(stateDir), () => undefined);
    try {
      const lab = labReadyFrom(await supervisor.start(labPart(profile)));
      const [pool] = lab.pools;
      if (pool === undefined) throw new Error('the lab has no pool');
      const { elapsedMs } = await runScript({ ...jobFor(load), ...addressOf(pool) }, signal);
      const vms = WARM_UP + load.deployments;
      return { elapsedMs, vms, calls: await new LabControl(lab.controlUrl).calls() };
    } finally {
      await supervisor.stop();
    }
  });
}

function labPart(profile: Profile) {
  return {
    name: 'lab',
    command: process.execPath,
    args: ['--enable-source-maps', programPath('../../bin/lab.js')],
    env: labEnvironment(profile),
    readyLimitMs: 60_000,
    stopSignal: 'SIGTERM' as const,
    stopLimitMs: 30_000,
  };
}

function jobFor({ deployments, concurrency }: Workload) {
  const names = { warmUpNames: namesOf('warm', WARM_UP), names: namesOf('vm', deployments) };
  return { ...VM, ...names, concurrency, guestSshPort: GUEST_SSH_PORT };
}

function addressOf({ hostAddresses, port, user, password }: ReturnType<typeof labReadyFrom>['pools'][number]) {
  return { url: `http://${hostAddresses[0] ?? ''}:${port}`, user, password };
}

async function runScript(job: PlainJob, signal: AbortSignal): Promise<PlainAnswer> {
  const args = ['--enable-source-maps', programPath('../plain-script.js')];
  const script = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'], signal, env: {} });
  script.stdin.end(JSON.stringify(job));
  const ended = new Promise<number | null>((resolve, reject) => script.on('close', resolve).on('error', reject));
  const [answer, words, code] = await Promise.all([text(script.stdout), text(script.stderr), ended]);
  if (code !== 0) throw new Error(`the plain script ended with code ${code}: ${words.trim()}`);
  return JSON.parse(answer) as PlainAnswer;
}

function programPath(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
