import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { OPERATIONS } from '../../domain/operations.ts';
import { manifest, recordedHistories, storyOf } from './histories.ts';
import type { Recorded } from './histories.ts';
import { SITUATIONS } from './situations.ts';

/** A history that does not replay is what one of these tests is about: its warnings would drown what matters. */
Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'OFF', forward: {} } } });

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const WORKFLOWS = join(ROOT, 'workflows', 'index.ts');
const recorded = recordedHistories();

function bundle(workflowsPath: string): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
}

/** The names of the histories that the code does not replay. */
async function broken(workflowBundle: WorkflowBundleWithSourceMap, histories: readonly Recorded[]): Promise<string[]> {
  const named = histories.map(({ name, history }) => ({ workflowId: name, history }));
  const failed: string[] = [];
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle }, named)) {
    if (error !== undefined) failed.push(workflowId);
  }
  return failed;
}

describe('histories of earlier versions', () => {
  let workflowBundle: WorkflowBundleWithSourceMap;
  beforeAll(async () => {
    workflowBundle = await bundle(WORKFLOWS);
  });

  it('are there for every situation and every operation', () => {
    const names = recorded.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(SITUATIONS.map(({ name }) => name)));
    for (const { name } of OPERATIONS) expect(names.some((one) => one.startsWith(name))).toBe(true);
  });

  it('all replay on the runbooks as they are now', async () => {
    expect(await broken(workflowBundle, recorded)).toEqual([]);
  });

  it('do not replay when two steps change places, so that the check can fail', async () => {
    const planted = plantSwappedSteps();
    try {
      const failed = await broken(await bundle(join(planted, 'workflows', 'index.ts')), recorded);
      const deployments = recorded.map(({ name }) => name).filter((name) => name.startsWith('deploy-vm'));
      expect(failed.sort()).toEqual(deployments.sort());
    } finally {
      rmSync(planted, { recursive: true });
    }
  });

  it('show what their names say', () => {
    const stories = new Map(recorded.map(({ name, history }) => [name, storyOf(history)]));
    for (const { name, story } of SITUATIONS) expect({ name, story: stories.get(name) }).toEqual({ name, story });
  });

  it('are only added to, never recorded again', () => {
    const listed = manifest();
    expect(Object.fromEntries(recorded.map(({ name, sha256 }) => [name, sha256]))).toEqual(Object.fromEntries(listed));
    expect(changedInGit()).toBe('');
  });
});

/** Commits that changed or removed a history since it was added; empty, also where git's history is not at hand. */
function changedInGit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  try {
    if (git('rev-parse', '--is-shallow-repository') !== 'false') return '';
  } catch {
    return ''; // an unpacked archive has no history
  }
  return git('log', '--diff-filter=MDR', '--format=%h', '--', 'test/replay/histories/*.json');
}

/** A copy of the runbooks in which deploy-vm creates the interfaces before the disks. */
function plantSwappedSteps(): string {
  const parent = join(ROOT, '.switchboard', 'planted');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'replay-'));
  for (const part of ['workflows', 'domain', 'activities', 'adapters']) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  }
  const path = join(folder, 'workflows', 'deploy-vm.ts');
  const source = readFileSync(path, 'utf8');
  const steps = /( {2}await saga\.step\('createDisks'.*\n)( {2}await saga\.step\('createInterfaces'.*\n)/;
  expect(source).toMatch(steps);
  writeFileSync(path, source.replace(steps, '$2$1'));
  return folder;
}
