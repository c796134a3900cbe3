import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { STREAM_LIMITS } from '../../api/event-stream.ts';
import { acceptRun } from './support/accept-run.ts';
import { EventClient } from './support/event-client.ts';
import { send } from './support/requests.ts';
import { openApi, serveApi, TOKEN } from './support/rig.ts';
import { tableOf, writeRun, writeSteps } from './support/write-events.ts';

const { rig, api } = await openApi();

describe('the streams of events', () => {
  const seqs = (client: EventClient) => client.events.map(({ id }) => id);

  it('carry a run from its first event to its last, as it happens, and end with it', async () => {
    const run = await acceptRun(rig, 'deploy-vm', 'stream-whole');
    const client = new EventClient(`${api}/v1/runs/${run.id}/events`);
    expect(await client.connect()).toBe(200);
    await client.until(({ events }) => events.length === 1);
    await writeSteps(rig, run.id, 3);
    await rig.log.end(run.id, { state: 'succeeded', skips: [] });
    await client.ended();
    expect(seqs(client)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(client.events.map(({ kind }) => kind).slice(0, 3)).toEqual(['run-accepted', 'step-started', 'step-done']);
    expect(client.events.at(-1)?.data).toMatchObject({ runId: run.id, seq: 8, kind: 'run-state', state: 'succeeded' });
  });

  it('say that there is nothing more to a client that has seen the end', async () => {
    const run = await writeRun(rig, 'stream-over', 1);
    const client = new EventClient(`${api}/v1/runs/${run.id}/events`);
    await client.connect();
    await client.ended();
    expect(await client.connect()).toBe(204);
    expect(seqs(client)).toEqual([1, 2, 3, 4]);
  });

  it('go on after the last event that a client has seen, wherever it was cut', async () => {
    const run = await writeRun(rig, 'stream-resume', 5);
    for (let after = 0; after < 12; after += 1) {
      const client = new EventClient(`${api}/v1/runs/${run.id}/events`, { after });
      await client.connect();
      await client.ended();
      expect(seqs(client)).toEqual(Array.from({ length: 12 - after }, (_, index) => after + index + 1));
    }
  });

  it('carry all runs from the very beginning, or from now on', async () => {
    const late = new EventClient(`${api}/v1/events`);
    await late.connect();
    const before = (await tableOf(rig)).length;
    const run = await writeRun(rig, 'stream-now', 2);
    await late.until(({ events }) => events.length === 6);
    expect(late.events.every(({ data }) => data.runId === run.id)).toBe(true);
    await late.close();

    const all = new EventClient(`${api}/v1/events`, { after: 0 });
    await all.connect();
    await all.until(({ events }) => events.length === before + 6);
    await all.close();
    const table = await tableOf(rig);
    expect(all.events.map(({ id, data: { runId, seq } }) => ({ position: id, runId, seq }))).toEqual(table);
  });

  it('take ?after= from a client that cannot send a header', async () => {
    const run = await writeRun(rig, 'stream-query', 1);
    const response = await fetch(`${api}/v1/runs/${run.id}/events?after=3`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    expect((await response.text()).match(/^id: \d+$/gm)).toEqual(['id: 3', 'id: 4']);
  });

  it.each(['-1', 'x', '1.5', '99999999999999999999'])('refuse the Last-Event-ID %s', async (id) => {
    const answer = await send(`${api}/v1/events`, { headers: { 'last-event-id': id } });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ parameter: 'Last-Event-ID' }] } });
  });

  it('know no run that nobody has, and need a token', async () => {
    const path = `${api}/v1/runs/0198c0de-0000-7000-8000-000000000000/events`;
    expect(await send(path)).toMatchObject({ status: 404 });
    expect(await send(path, { headers: { authorization: undefined } })).toMatchObject({ status: 401 });
    expect(
      (await fetch(`${api}/v1/events`, { method: 'HEAD', headers: { authorization: `Bearer ${TOKEN}` } })).status,
    ).toBe(200);
  });

  it('refuse one stream more than a token, or the process, may have open; a closed one makes room', async () => {
    const small = await serveApi(rig, { limits: { ...STREAM_LIMITS, perCaller: 2, inAll: 3 } });
    const { token } = await rig.tokens.create('bob', 'admin');
    const [first, ...others] = [TOKEN, TOKEN, token].map(
      (one) => new EventClient(`${small}/v1/events`, { token: one }),
    );
    for (const client of [first, ...others]) expect(await client?.connect()).toBe(200);
    const refused = await send(`${small}/v1/events`);
    expect(refused).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
    expect(refused.headers.get('retry-after')).toBe('5');
    expect((await send(`${small}/v1/events`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(429);
    await first?.close();
    const again = new EventClient(`${small}/v1/events`);
    for (let status = 429; status === 429;) status = await again.connect();
    for (const client of [again, ...others]) await client.close();
  });

  it('keep an idle connection alive, and end when its token is revoked', async () => {
    const quick = await serveApi(rig, { limits: { ...STREAM_LIMITS, pingMs: 30 } });
    const { id, token } = await rig.tokens.create('carol', 'admin');
    const client = new EventClient(`${quick}/v1/events`, { token });
    await client.connect();
    await client.until(({ comments }) => comments >= 2);
    await rig.tokens.revoke(id);
    await client.ended();
    expect(await client.connect()).toBe(401);
  });

  it('cut a client that takes nothing, and serve the others meanwhile', async () => {
    const strict = await serveApi(rig, { limits: { ...STREAM_LIMITS, stalledMs: 200 } });
    const { port } = new URL(strict);
    const stalled = connect(Number(port), '127.0.0.1');
    stalled.pause();
    stalled.write(`GET /v1/events?after=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`);
    const run = await acceptRun(rig, 'deploy-vm', 'stream-flood');
    // More than the buffers of two sockets hold.
    await writeSteps(rig, run.id, 100, 'w'.repeat(200_000));
    const other = new EventClient(`${strict}/v1/runs/${run.id}/events`);
    await other.connect();
    await other.until(({ events }) => events.length === 201);
    await other.close();
    // Nothing more comes out of a connection that was cut: what the buffers held is read, then it ends.
    const cut = once(stalled, 'close');
    await new Promise((resolve) => setTimeout(resolve, 500));
    stalled.on('error', () => undefined).resume();
    await cut;
  });

  it('wait for a client that takes its events slowly, and give it every one', async () => {
    const run = await acceptRun(rig, 'deploy-vm', 'stream-slow');
    // More than the buffers of two sockets hold.
    await writeSteps(rig, run.id, 40, 's'.repeat(200_000));
    await rig.log.end(run.id, { state: 'succeeded', skips: [] });
    const authorization = `Bearer ${TOKEN}`;
    const response = await fetch(`${api}/v1/runs/${run.id}/events`, { headers: { authorization } });
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const ids = [...text.matchAll(/^id: (\d+)\nevent: (?!begin)/gm)].map(([, id]) => Number(id));
    expect(ids).toEqual(Array.from({ length: 82 }, (_, index) => index + 1));
  });
});
