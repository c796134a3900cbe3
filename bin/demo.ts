/**
 * `npm run demo`: a VM is deployed and answers SSH; a second deployment loses its worker in the middle of a task of the
 * pool and goes on at that very task; both are deleted, and the world is as it was.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { generateHostKey } from '../adapters/ssh/host-key.ts';
import type { HostKey } from '../adapters/ssh/host-key.ts';
import { runOverSsh } from '../adapters/ssh/run.ts';
import { ApiClient } from '../cli/api-client.ts';
import type { RunDetail } from '../cli/api-client.ts';
import type { DeployVmResult } from '../domain/operations.ts';
import { LabClient } from './demo/lab-client.ts';
import { RunStory } from './demo/run-story.ts';
import { startStack } from './stack/stack.ts';
import type { Stack } from './stack/stack.ts';
import { StackTrouble, reasonOf } from './stack/trouble.ts';

interface Scene {
  readonly stack: Stack;
  readonly api: ApiClient;
  readonly story: RunStory;
  readonly lab: LabClient;
  /** The operator's own key pair; only its public half is handed over. */
  readonly operatorKey: HostKey;
}

const ENDED = (run: RunDetail) => run.state === 'succeeded';

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function deployment(name: string, operatorKey: HostKey) {
  return {
    ...{ pool: 'ams1', name, template: 'debian-12', vcpus: 2, memoryMiB: 2048, networks: ['tenant'] },
    disks: [{ name: 'data', sizeGiB: 20 }],
    sshAuthorizedKeys: [`${operatorKey.publicKey} demo`],
  };
}

async function deployAndLogIn({ api, story, operatorKey }: Scene): Promise<void> {
  say('\n1. A VM, from the request to a login.');
  const asked = await api.start('deploy-vm', deployment('demo-1', operatorKey), randomUUID());
  say(`  run ${asked.id}: ${asked.summary}`);
  const run = await story.follow(asked.id, ENDED);
  const vm = run.result as DeployVmResult;
  say(`  VM ${vm.uuid} runs on host ${vm.host} and answers on ${vm.address}:${vm.sshPort}.`);
  const hostname = await runOverSsh({
    ...{ address: vm.address, port: vm.sshPort, user: 'debian', privateKey: operatorKey.privateKey },
    ...{ expectedPublicKey: vm.hostPublicKey, command: 'hostname', timeoutMs: 10_000 },
  });
  say(`  SSH, host key ${vm.hostKeyFingerprint} as made for it: \`hostname\` says ${hostname.trim()}.`);
  if (run.links.temporalUi !== undefined) say(`  In the Temporal UI: ${run.links.temporalUi}`);
}

async function killTheWorker({ stack, api, story, lab, operatorKey }: Scene): Promise<void> {
  say('\n2. A second VM, and the worker dies (SIGKILL) while the pool works on its task.');
  const barrier = await lab.holdBeforeEffect('VM.clone');
  const { id } = await api.start('deploy-vm', deployment('demo-2', operatorKey), randomUUID());
  const held = await lab.held(barrier);
  const restarted = new Promise<number>((resolve) => {
    stack.onRestart((part, pid) => {
      if (part === 'worker') resolve(pid);
    });
  });
  const pid = stack.pid('worker');
  stack.kill('worker', 'SIGKILL');
  say(`  killed worker ${pid} at step cloneVm, XAPI task ${held.taskRef} (${held.method}) pending.`);
  say(`  waiting for the supervisor's new worker: ${await restarted}.`);
  say('  waiting until Temporal notices the silence and hands the step to it (10 s without a heartbeat).');
  await story.follow(id, (run) => run.steps.some((step) => step.name === 'cloneVm' && step.attempts >= 2));
  await lab.release(barrier);
  await story.follow(id, ENDED);
  const clones = (await lab.calls('VM.clone')).filter((call) => JSON.stringify(call.params).includes(id));
  say(`  the pool saw ${clones.length} VM.clone of this run: the new worker re-attached to task ${held.taskRef}.`);
  if (clones.length !== 1) throw new Error(`expected one VM.clone for run ${id}, the lab's log has ${clones.length}`);
}

async function deleteBoth({ api, story }: Scene): Promise<void> {
  say('\n3. Both are deleted.');
  for (const name of ['demo-1', 'demo-2']) {
    const input = { pool: 'ams1', name, shutdownTimeoutSeconds: 60 };
    const { id, summary } = await api.start('delete-vm', input, randomUUID());
    say(`  run ${id}: ${summary}`);
    await story.follow(id, ENDED);
  }
}

async function play(stack: Stack, interrupted: AbortSignal): Promise<void> {
  if (stack.urls.labControl === undefined) {
    throw new StackTrouble('The demo plays in the lab: unset SWITCHBOARD_CONFIG and start it again.');
  }
  const token = readFileSync(stack.tokenFile, 'utf8').trim();
  const api = new ApiClient({ interrupted }, () => ({ url: stack.urls.api, token }));
  const lab = new LabClient(stack.urls.labControl);
  const scene: Scene = { stack, api, story: new RunStory(api, say), lab, operatorKey: generateHostKey() };
  const before = await lab.snapshot();
  await deployAndLogIn(scene);
  await killTheWorker(scene);
  await deleteBoth(scene);
  const left = await lab.diff(before);
  say(`\nWorld diff: ${left.length === 0 ? 'empty, nothing is left behind.' : JSON.stringify(left, undefined, 2)}`);
  if (left.length > 0) throw new Error(`${left.length} objects are not as they were`);
}

async function main(): Promise<number> {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort());
  let stack: Stack | undefined;
  try {
    const stateDir = process.env['SWITCHBOARD_STATE_DIR'] || '.switchboard';
    say('Starting database, Temporal, lab, worker and API.');
    stack = await startStack({ env: process.env, stateDir, fresh: false, say, signal: controller.signal });
    await play(stack, controller.signal);
    return 0;
  } catch (error) {
    if (!controller.signal.aborted) say(`The demo failed: ${reasonOf(error)}`);
    return 1;
  } finally {
    await stack?.stop();
    say('Stopped; no process is left.');
  }
}

process.exitCode = await main();
