import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventClient } from './support/event-client.ts';
import type { Rig } from './support/rig.ts';
import { openRig, serveApi } from './support/rig.ts';
import { tableOf, writeRun } from './support/write-events.ts';

const WRITERS = 20;
const RUNS_PER_WRITER = 5;
const STEPS = 4;
/** Accepted, two per step, ended. */
const EVENTS = WRITERS * RUNS_PER_WRITER * (2 * STEPS + 2);

describe('the stream of all runs, written by many at once', () => {
  let rig: Rig;
  const apis: string[] = [];

  beforeAll(async () => {
    rig = await openRig();
    for (let index = 0; index < 2; index += 1) apis.push(await serveApi(rig));
  });

  afterAll(() => rig.close());

  /** Comes back, to one API after the other, whenever it has seen some more events. */
  async function restless(client: EventClient, everyEvents: number): Promise<void> {
    for (let turn = 0; client.events.length < EVENTS; turn += 1) {
      const wanted = Math.min(EVENTS, client.events.length + everyEvents);
      await client.connect(apis[turn % apis.length]);
      await client.until(({ events }) => events.length >= wanted);
      await client.close();
    }
  }

  it('misses no event and repeats none, in one order for every client, also for one that comes and goes', async () => {
    const clients = Array.from({ length: 6 }, () => new EventClient(`${apis[0] ?? ''}/v1/events`, { after: 0 }));
    const following = clients.map((client, index) => restless(client, [EVENTS, 1, 7, 50, 50, 333][index] ?? 1));
    const writing = Array.from({ length: WRITERS }, async (_, writer) => {
      for (let run = 0; run < RUNS_PER_WRITER; run += 1) await writeRun(rig, `order-${writer}-${run}`, STEPS);
    });
    await Promise.all([...writing, ...following]);

    const table = await tableOf(rig);
    expect(table.map(({ position }) => position)).toEqual(Array.from({ length: EVENTS }, (_, index) => index + 1));
    for (const { events } of clients) {
      expect(events.map(({ id, data: { runId, seq } }) => ({ position: id, runId, seq }))).toEqual(table);
    }
    const nextSeq = new Map<string, number>();
    for (const { runId, seq } of table) {
      expect(seq).toBe(nextSeq.get(runId) ?? 1);
      nextSeq.set(runId, seq + 1);
    }
  });

  it('puts an event that becomes visible late behind those that were seen before', async () => {
    const client = new EventClient(`${apis[0] ?? ''}/v1/events`);
    await client.connect();
    const late = await writeRun(rig, 'order-late', 0);
    await client.until(({ events }) => events.length === 2);
    const written = Date.now();
    await rig.db.transaction().execute(async (trx) => {
      // Written now, seen only after the run below has come and gone.
      await trx
        .insertInto('run_events')
        .values({ run_id: late.id, seq: 3, kind: 'run-state', step: null, round: null, attempt: null, state: null })
        .execute();
      await writeRun(rig, 'order-meanwhile', 0);
      await client.until(({ events }) => events.length === 4);
    });
    await client.until(({ events }) => events.length === 5);
    await client.close();
    const last = client.events.at(-1)?.data;
    expect(last).toMatchObject({ runId: late.id, seq: 3 });
    expect(Date.parse(last?.at ?? '')).toBeLessThan(Date.parse(client.events[3]?.data.at ?? '') + 1);
    expect(written).toBeLessThanOrEqual(Date.now());
  });
});
