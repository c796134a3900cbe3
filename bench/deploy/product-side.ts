import { readFileSync } from 'node:fs';
import { openTemporal } from '../../adapters/temporal/connect.ts';
import { anyFreePort } from '../../bin/stack/ports.ts';
import { startStack } from '../../bin/stack/stack.ts';
import type { Stack } from '../../bin/stack/stack.ts';
import { findOperation, workflowIdFor } from '../../domain/operations.ts';
import { cpuMsOf, peakMiB } from '../process-use.ts';
import { ApiLoad } from './api-load.ts';
import type { EndedRun } from './api-load.ts';
import { LabControl } from './lab-control.ts';
import type { AddedObject, LabCall } from './lab-control.ts';
import { findOrphans } from './orphans.ts';
import { withStateFolder } from './temporary-state.ts';
import { labEnvironment, namesOf, POOL, VM, WARM_UP } from './workload.ts';
import type { Profile, Workload } from './workload.ts';

export interface ProductSide {
  readonly elapsedMs: number;
  /** How many VMs were deployed in all, the warm-up included. */
  readonly vms: number;
  readonly calls: readonly LabCall[];
  readonly startMs: readonly number[];
  readonly readMs: readonly number[];
  readonly eventsPerDeployment: number;
  readonly workerPeakMiB: number;
  /** Time on a core per deployment, by part of the stack. */
  readonly cpuMsPerDeployment: ReadonlyMap<string, number>;
  readonly orphans: readonly AddedObject[];
  /** What went wrong with single deployments; empty when all succeeded. */
  readonly troubles: readonly string[];
}

export interface Surroundings {
  readonly temporalCli: string;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** The whole path: HTTP API → Temporal → worker → lab, each a process of its own, on free ports. */
export async function measureProduct(profile: Profile, load: Workload, around: Surroundings): Promise<ProductSide> {
  return withStateFolder(async (stateDir) => {
    const { say, signal } = around;
    const env = { ...(await freePorts()), ...labEnvironment(profile), TEMPORAL_CLI_PATH: around.temporalCli };
    const stack = await startStack({ env, stateDir, fresh: false, say, signal });
    const givenUp = stack.givenUp.then((trouble) => Promise.reject(trouble));
    try {
      return await Promise.race([measureOn(stack, load, signal), givenUp]);
    } finally {
      await stack.stop();
    }
  });
}

async function freePorts(): Promise<NodeJS.ProcessEnv> {
  const names = ['API', 'TEMPORAL', 'TEMPORAL_UI', 'POSTGRES', 'LAB', 'LAB_CONTROL'];
  const ports: [string, string][] = [];
  for (const name of names) ports.push([`SWITCHBOARD_${name}_PORT`, String(await anyFreePort())]);
  return Object.fromEntries(ports);
}

async function measureOn(stack: Stack, load: Workload, signal: AbortSignal): Promise<ProductSide> {
  const { urls } = stack;
  if (urls.labControl === undefined) throw new Error('the stack has no lab');
  const lab = new LabControl(urls.labControl);
  const token = readFileSync(stack.tokenFile, 'utf8').trim();
  const before = await lab.snapshot();
  const warmUp = await new ApiLoad(urls.api, token, signal).deployAll(inputs('warm', WARM_UP), load.concurrency);
  const api = new ApiLoad(urls.api, token, signal);
  const cpuBefore = cpuMsOf(pidsOf(stack));
  const startedMs = performance.now();
  const measured = await api.deployAll(inputs('vm', load.deployments), load.concurrency);
  const elapsedMs = performance.now() - startedMs;
  const cpuMs = [...cpuMsOf(pidsOf(stack))].map(([part, ms]) => [part, ms - (cpuBefore.get(part) ?? 0)] as const);
  const ended = [...warmUp, ...measured];
  const wanted = new Set(ended.flatMap(({ vmUuid }) => vmUuid ?? []));
  return {
    elapsedMs,
    vms: ended.length,
    calls: await lab.calls(),
    startMs: api.startMs,
    readMs: api.readMs,
    eventsPerDeployment: await meanHistoryLength(urls.temporalAddress, measured),
    cpuMsPerDeployment: new Map(cpuMs.map(([part, ms]) => [part, ms / load.deployments])),
    workerPeakMiB: peakMiB(stack.pid('worker')),
    orphans: findOrphans(await lab.addedSince(before), wanted),
    troubles: ended.flatMap(({ trouble }) => trouble ?? []),
  };
}

function pidsOf(stack: Stack): Record<string, number> {
  const parts = ['api', 'temporal', 'database', 'worker', 'lab'] as const;
  return Object.fromEntries(parts.map((part) => [part, stack.pid(part)]));
}

function inputs(prefix: string, count: number): Record<string, unknown>[] {
  const { template, network, vcpus, memoryMiB, diskGiB } = VM;
  const disks = [{ name: 'data', sizeGiB: diskGiB }];
  return namesOf(prefix, count).map((name) => {
    return { pool: POOL, name, template, vcpus, memoryMiB, networks: [network], disks };
  });
}

async function meanHistoryLength(address: string, runs: readonly EndedRun[]): Promise<number> {
  const row = findOperation('deploy-vm');
  if (row === undefined) throw new Error('the catalogue has no deploy-vm');
  const client = openTemporal({ connectionOptions: { address }, namespace: 'default' });
  try {
    let events = 0;
    for (const { id } of runs) {
      const { historyLength } = await client.workflow.getHandle(workflowIdFor(row, id, {})).describe();
      events += historyLength;
    }
    return events / runs.length;
  } finally {
    await client.connection.close();
  }
}
