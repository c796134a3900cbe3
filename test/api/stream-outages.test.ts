import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openDatabase } from '../../adapters/postgres/database.ts';
import { EventFeed } from '../../adapters/postgres/event-feed.ts';
import { RunStore } from '../../adapters/postgres/run-store.ts';
import { TokenStore } from '../../adapters/postgres/token-store.ts';
import { Wakes } from '../../adapters/postgres/wakes.ts';
import { STREAM_LIMITS } from '../../api/event-stream.ts';
import { startTcpProxy } from '../../lab/tcp-proxy.ts';
import type { TcpProxy } from '../../lab/tcp-proxy.ts';
import { acceptRun } from './support/accept-run.ts';
import { EventClient } from './support/event-client.ts';
import { send } from './support/requests.ts';
import type { Rig } from './support/rig.ts';
import { engineNowhere, openRig, serveApi } from './support/rig.ts';
import { tableOf, writeRun } from './support/write-events.ts';

describe('open streams', () => {
  let rig: Rig;
  let proxy: TcpProxy;
  let api: string;
  const troubles: unknown[] = [];

  /** An API that reaches PostgreSQL through a proxy; the writers go straight. */
  beforeAll(async () => {
    rig = await openRig();
    const direct = new URL(rig.databaseUrl);
    proxy = await startTcpProxy({ targetHost: direct.hostname, targetPort: Number(direct.port) });
    rig.onClose(() => proxy.close());
    const url = new URL(direct);
    url.port = String(proxy.port);
    const database = openDatabase(url.href);
    rig.onClose(() => database.close());
    const wakes = new Wakes(url.href, { report: (trouble) => void troubles.push(trouble) });
    wakes.start();
    rig.onClose(() => wakes.close());
    const { db } = database;
    api = await serveApi(rig, {
      ...{ wakes, store: new RunStore(db, rig.vault), feed: new EventFeed(db), tokens: new TokenStore(db) },
      limits: { ...STREAM_LIMITS, pingMs: 50 },
    });
  });

  afterAll(() => rig.close());

  it('go on over five restarts of PostgreSQL, with everything that happened meanwhile', async () => {
    const run = await acceptRun(rig, 'deploy-vm', 'outage-database');
    const one = new EventClient(`${api}/v1/runs/${run.id}/events`);
    const all = new EventClient(`${api}/v1/events`, { after: 0 });
    for (const client of [one, all]) expect(await client.connect()).toBe(200);
    const waiting = send(`${api}/v1/runs/${run.id}?wait=60`);
    for (let restart = 0; restart < 5; restart += 1) {
      await one.until(({ events }) => events.length === 1 + restart * 6);
      await proxy.down();
      expect(await send(`${api}/v1/runs`)).toMatchObject({ status: 503, body: { code: 'STORE_UNAVAILABLE' } });
      await writeMore(rig, run.id, restart);
      const pings = one.comments;
      await one.until(({ comments }) => comments > pings + 1);
      await proxy.up();
    }
    await one.until(({ events }) => events.length === 31);
    await rig.log.end(run.id, { state: 'succeeded', skips: [] });
    await one.ended();
    await all.until(({ events }) => events.length === 32);
    await all.close();
    expect(one.events.map(({ id }) => id)).toEqual(Array.from({ length: 32 }, (_, index) => index + 1));
    expect(all.events.map(({ id }) => id)).toEqual((await tableOf(rig)).map(({ position }) => position));
    expect([200, 503]).toContain((await waiting).status);
    expect(troubles.length).toBeGreaterThan(0);
  });

  it('do not need Temporal', async () => {
    const withoutTemporal = await serveApi(rig, { engine: engineNowhere(rig) });
    const client = new EventClient(`${withoutTemporal}/v1/events`);
    await client.connect();
    const run = await writeRun(rig, 'outage-temporal', 2);
    await client.until(({ events }) => events.length === 6);
    await client.close();
    expect(client.events.map(({ data }) => data.runId)).toEqual(Array(6).fill(run.id));
  });
});

async function writeMore(rig: Rig, runId: string, round: number): Promise<void> {
  for (let step = 1; step <= 3; step += 1) {
    const attempt = { runId, executionId: 'x', round, attempt: 1, committed: false, worker: 'writer' };
    await rig.log.started({ ...attempt, step: `step${step}` });
    await rig.log.done({ ...attempt, step: `step${step}` });
  }
}
