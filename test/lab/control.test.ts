import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import type { ControlPort } from '../../lab/control.ts';
import { startControl } from '../../lab/control.ts';
import { byName, deploy, freshLab } from './with-lab.ts';

const { lab, client } = freshLab();
let control: ControlPort;

beforeEach(async () => {
  control = await startControl(lab(), 0);
});
afterEach(() => control.close());

const clone = async (name: string) => client().call('Async.VM.clone', await byName(client(), 'VM', 'debian-12'), name);

describe('the control port', () => {
  it('tells the pools and the objects of a class', async () => {
    expect((await request(control.url).get('/pools')).body).toEqual(lab().pools);
    const hosts = await request(control.url).get('/world/host');
    expect(Object.keys((hosts.body as { ams1: object }).ams1)).toHaveLength(3);
    expect((await request(control.url).get('/world/nosuch')).status).toBe(404);
  });

  it('takes snapshots and tells what changed since', async () => {
    const { body } = (await request(control.url).post('/snapshots')) as unknown as { body: { id: string } };
    expect((await request(control.url).get(`/snapshots/${body.id}/diff`)).body).toEqual([]);
    await deploy(client(), 'web-1');
    const { body: changes } = (await request(control.url).get(`/snapshots/${body.id}/diff`)) as {
      body: { name: string }[];
    };
    expect(changes.map(({ name }) => name)).toContain('web-1');
    expect((await request(control.url).get('/snapshots/99/diff')).status).toBe(404);
  });

  it('plans faults, tells how often they fired, and clears them', async () => {
    const fault = { method: 'VM.clone', kind: 'refused', error: ['TOO_BUSY'] };
    const { body } = (await request(control.url).post('/faults').send(fault)) as { body: { id: string } };
    expect(await client().task(await clone('one'))).toMatchObject({ error_info: ['TOO_BUSY'] });
    expect((await request(control.url).get(`/faults/${body.id}`)).body).toMatchObject({ fired: 1, fault });
    expect((await request(control.url).delete('/faults')).status).toBe(204);
    expect((await request(control.url).get(`/faults/${body.id}`)).status).toBe(404);
  });

  it('lists faults and forgets single ones', async () => {
    const post = (fault: object) => request(control.url).post('/faults').send(fault);
    const { body: first } = (await post({ kind: 'sr-full', object: 'shared' })) as { body: { id: string } };
    await post({ method: 'VM.clone', kind: 'cut' });
    expect((await request(control.url).delete(`/faults/${first.id}`)).status).toBe(204);
    expect((await request(control.url).delete(`/faults/${first.id}`)).status).toBe(404);
    expect((await request(control.url).get('/faults')).body).toEqual([
      { id: expect.any(String), fault: { method: 'VM.clone', kind: 'cut', at: 'before' }, fired: 0 },
    ]);
  });

  it('refuses what is no fault, no barrier, no snapshot, no speed and no JSON, and plans nothing', async () => {
    const fault = await request(control.url).post('/faults').send({ kind: 'cut', methud: 'VM.clone' });
    expect(fault.status).toBe(400);
    expect(fault.body).toMatchObject({
      error: expect.stringContaining('nothing was changed. methud: unknown; a fault of kind cut takes method, at'),
      kinds: expect.objectContaining({ refused: expect.arrayContaining(['error', 'nth', 'probability']) }),
    });
    const others: [string, object][] = [
      ['/barriers', { method: 'VM.clone', at: 'noon' }],
      ['/snapshots', { nam: 'x' }],
    ];
    for (const [path, body] of others) expect((await request(control.url).post(path).send(body)).status).toBe(400);
    expect((await request(control.url).put('/speed').send({ speed: 0 })).status).toBe(400);
    expect((await request(control.url).post('/faults').type('json').send('{')).status).toBe(400);
    expect((await request(control.url).get('/faults')).body).toEqual([]);
  });

  it('tells how the lab is, without its passwords, and changes its speed', async () => {
    await deploy(client(), 'web-1');
    await request(control.url).put('/speed').send({ speed: 60 });
    const status = await request(control.url).get('/status');
    expect(status.body).toMatchObject({
      speed: 60,
      faultsPlanned: 0,
      pools: [{ id: 'ams1', hosts: 3, liveHosts: 3, vms: 1, runningVms: 0 }],
    });
    expect((status.body as { calls: number }).calls).toBe(lab().callCount);
    expect(status.text).not.toContain('lab-password');
  });

  it('takes snapshots by name', async () => {
    await request(control.url).post('/snapshots').send({ name: 'before' });
    await deploy(client(), 'web-1');
    const changes = await request(control.url).get('/snapshots/before/diff');
    expect((changes.body as { name: string }[]).map(({ name }) => name)).toContain('web-1');
    const missing = await request(control.url).get('/snapshots/after/diff');
    expect(missing.body).toEqual({ error: 'snapshot after is not known to this lab; there are: before' });
  });

  it('holds a call, tells when it is reached, and releases it', async () => {
    const { body } = (await request(control.url)
      .post('/barriers')
      .send({ method: 'VM.clone', at: 'before-effect' })) as { body: { id: string } };
    expect((await request(control.url).get(`/barriers/${body.id}`)).body).toMatchObject({ reached: false });
    const task = await clone('one');
    expect((await request(control.url).get(`/barriers/${body.id}?wait=30`)).body).toMatchObject({
      reached: true,
      held: { method: 'Async.VM.clone', taskRef: task },
    });
    expect((await request(control.url).post(`/barriers/${body.id}/release`)).status).toBe(204);
    expect(await client().task(task)).toMatchObject({ status: 'success' });
  });

  it('lists calls after a number and by kind', async () => {
    await deploy(client(), 'web-1');
    const { body } = (await request(control.url).get('/calls?mutating=true')) as {
      body: { method: string; seq: number }[];
    };
    expect(body.map(({ method }) => method)).toEqual(['VM.clone', 'VM.provision']);
    const later = await request(control.url).get(`/calls?since=${body[0]?.seq}&mutating=true`);
    expect((later.body as { method: string }[]).map(({ method }) => method)).toEqual(['VM.provision']);
  });
});
