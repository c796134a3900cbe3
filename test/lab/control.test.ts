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
