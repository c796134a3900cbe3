import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createApiMetrics } from '../../bin/metrics/api-metrics.ts';
import { anyFreePort } from '../../bin/stack/ports.ts';
import { WorkerProcesses } from './kill/worker-process.ts';
import type { Rig } from './step-cases/rig.ts';
import { startRig } from './step-cases/rig.ts';

const PAGE = fileURLToPath(new URL('../../docs/metrics.md', import.meta.url));

/** `name` → kind of every metric of ours, as Prometheus is told. */
function kindsIn(exposition: string): Map<string, string> {
  return new Map(
    [...exposition.matchAll(/^# TYPE (switchboard_\w+) (\w+)$/gm)].map(([, name = '', kind = '']) => [name, kind]),
  );
}

/** The same out of the tables of a chapter of the page. */
function kindsOnPage(chapter: string): Map<string, string> {
  const [text = ''] = readFileSync(PAGE, 'utf8').split(`## ${chapter}\n`)[1]?.split('\n## ') ?? [];
  const rows = text.matchAll(/^\| `(switchboard_\w+)` +\| (\w+) /gm);
  return new Map([...rows].map(([, name = '', kind = '']) => [name, kind]));
}

describe('the metrics of a worker', () => {
  let rig: Rig;
  let workers: WorkerProcesses;
  let url: string;

  beforeAll(async () => {
    rig = await startRig({ lanes: 1, worker: false });
    const port = await anyFreePort();
    url = `http://127.0.0.1:${port}/metrics`;
    workers = new WorkerProcesses(rig, { SWITCHBOARD_METRICS_PORT: String(port) });
    await workers.start();
  });

  afterAll(async () => {
    await workers.close();
    await rig.stop();
  });

  const scrape = async () => (await fetch(url)).text();

  it('tell of a run with a repeated step what took how long, what failed with which code and what waited', async () => {
    rig.site.lab.plan({ method: 'VM.provision', kind: 'cut' });
    const vm = { pool: 'lane-00', name: 'measured', template: 'debian-12', networks: ['tenant'] };
    const { id } = await rig.site.request('deploy-vm', vm);
    expect(await rig.site.ended(id)).toMatchObject({ state: 'succeeded' });
    const told = await scrape();
    for (const line of [
      'switchboard_step_duration_seconds_count{step="cloneVm",outcome="done"} 1',
      'switchboard_step_duration_seconds_count{step="provisionVm",outcome="failed"} 1',
      'switchboard_step_duration_seconds_count{step="provisionVm",outcome="done"} 1',
      'switchboard_step_failures_total{step="provisionVm",code="POOL_UNREACHABLE"} 1',
      'switchboard_step_retries_total{step="provisionVm"} 1',
      'switchboard_xapi_call_duration_seconds_count{pool="lane-00",method="Async.VM.clone",outcome="ok"} 1',
      'switchboard_xapi_call_duration_seconds_count{pool="lane-00",method="Async.VM.provision",outcome="failed"} 1',
      'switchboard_queue_lag_seconds_count 1',
    ]) {
      expect(told.split('\n')).toContain(line);
    }
    expect(told).not.toContain('measured');
    const runs = await createApiMetrics(rig.site.store).registry.metrics();
    expect(runs).toContain('switchboard_runs{state="succeeded"} 1');
  });

  it('and those of the API are the ones on the page, by name and kind', async () => {
    expect(kindsIn(await scrape())).toEqual(kindsOnPage('The worker'));
    const api = createApiMetrics(rig.site.store).registry;
    expect(kindsIn(await api.metrics())).toEqual(kindsOnPage('The API'));
  });
});
