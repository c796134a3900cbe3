import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { createApiMetrics } from '../../bin/metrics/api-metrics.ts';
import { serveMetrics } from '../../bin/metrics/server.ts';
import { anyFreePort } from '../../bin/stack/ports.ts';
import { acceptRun } from './support/accept-run.ts';
import { send } from './support/requests.ts';
import type { Rig } from './support/rig.ts';
import { openRig, serveApi, storeNowhere } from './support/rig.ts';

const QUIET = pino({ level: 'silent' });

describe('the metrics of the API', () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await openRig();
  });

  afterAll(() => rig.close());

  const serve = async (registry: Parameters<typeof serveMetrics>[0]) => {
    const port = await anyFreePort();
    rig.onClose(await serveMetrics(registry, { host: '127.0.0.1', port }, QUIET));
    return `http://127.0.0.1:${port}`;
  };

  it('count the runs of every state and tell how long requests took, by route and never by id', async () => {
    const { registry, onRequest } = createApiMetrics(rig.store);
    const api = await serveApi(rig, { onRequest });
    const { id } = await acceptRun(rig, 'deploy-vm', 'counted');
    await send(`${api}/v1/runs/${id}`);
    await send(`${api}/v1/nothing`);
    await send(`${api}/v1/runs/${id}?wait=1`);
    const text = await (await fetch(`${await serve(registry)}/metrics`)).text();
    expect(text).toContain('switchboard_runs{state="accepted"} 1');
    expect(text).toContain('switchboard_runs{state="needs-operator"} 0');
    expect(text).toContain('duration_seconds_count{method="GET",route="/v1/runs/:id",status="200"} 1');
    expect(text).toContain('duration_seconds_count{method="GET",route="none",status="404"} 1');
    expect(text).not.toContain(id);
  });

  it('say that they cannot be collected while PostgreSQL is away', async () => {
    const { registry } = createApiMetrics(storeNowhere(rig));
    expect((await fetch(`${await serve(registry)}/metrics`)).status).toBe(503);
  });

  it('are at /metrics and nothing else is there', async () => {
    const { registry } = createApiMetrics(rig.store);
    const url = await serve(registry);
    expect((await fetch(url)).status).toBe(404);
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(404);
  });

  it('listen nowhere without a port', async () => {
    const { registry } = createApiMetrics(rig.store);
    await (
      await serveMetrics(registry, undefined, QUIET)
    )();
  });
});
