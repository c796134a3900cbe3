import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import type { ControlPort } from '../../../lab/control.ts';
import { startControl } from '../../../lab/control.ts';
import type { Lab } from '../../../lab/lab.ts';
import { startLab } from '../../../lab/lab.ts';
import { routedPool } from '../../../lab/scenario.ts';
import { eventually } from '../../support/eventually.ts';
import { freshLab } from '../with-lab.ts';
import { describeNamespaces, namespacesOf } from './namespaces.ts';

interface Run {
  readonly id: string;
  readonly state: string;
  readonly report: { readonly directions: { sent: number; received: number; lost: object[]; longestGapMs: number }[] };
}

const from = { network: 'tenant', address: '10.10.0.50/24' };
const to = { network: 'tenant', address: '10.10.0.60/24' };
const udp = { pool: 'ams1', protocol: 'udp', perSecond: 500, from, to };

/** A control port of a lab whose guests are namespaces; whatever a test has started is removed after it. */
class Rig {
  #lab: Lab | undefined;
  #control: ControlPort | undefined;

  constructor() {
    beforeAll(async () => {
      this.#lab = await startLab({ guests: 'namespaces', pools: [routedPool()] });
      this.#control = await startControl(this.#lab, 0);
    });
    afterEach(async () => {
      for (const { id } of (await this.api.get('/probes')).body as Run[]) await this.api.delete(`/probes/${id}`);
      expect(this.ends()).toEqual([]);
    });
    afterAll(async () => {
      await this.start({ ...udp, protocol: 'tcp' });
      await this.#control?.close();
      await this.#lab?.close();
      expect(namespacesOf(this.#mark)).toEqual([]);
    });
  }

  get api(): ReturnType<typeof request> {
    return request(this.#control?.url ?? '');
  }

  get #mark(): string {
    return this.#lab?.namespaces?.mark ?? '';
  }

  /** The namespaces of the runs. */
  ends(): string[] {
    return namespacesOf(this.#mark).filter((name) => /-(client|server)-/.test(name));
  }

  async start(run: object): Promise<Run & { status: number; error?: string }> {
    const response = await this.api.post('/probes').send(run);
    return { status: response.status, ...(response.body as Run & { error?: string }) };
  }

  async read(id: string): Promise<Run> {
    return (await this.api.get(`/probes/${id}`)).body as Run;
  }
}

const forwardOf = ({ report }: Run) => report.directions[0] ?? { sent: 0, received: 0, lost: [], longestGapMs: 0 };

describeNamespaces('the control port runs probes that', () => {
  const rig = new Rig();

  it('tell what they have seen while they run, end when they are stopped, and keep their report', async () => {
    const { id, status, state } = await rig.start(udp);
    expect([status, state]).toEqual([201, 'running']);
    expect(rig.ends()).toHaveLength(2);
    const live = await eventually(
      () => rig.read(id),
      (run) => forwardOf(run).sent > 100,
      'the report says something',
    );
    expect(live.state).toBe('running');
    const { body } = (await rig.api.post(`/probes/${id}/stop`)) as unknown as { body: Run };
    expect(body.state).toBe('ended');
    expect(body.report.directions.map(({ lost }) => lost)).toEqual([[], []]);
    expect(forwardOf(body).sent).toBeGreaterThan(forwardOf(live).sent);
    expect(rig.ends()).toEqual([]);
    expect(await rig.read(id)).toEqual(body);
    expect((await rig.api.get('/probes')).body).toMatchObject([
      { id, state: 'ended', report: { directions: [{ lost: 0 }, { lost: 0 }] } },
    ]);
  });

  it('end by themselves after their seconds, and count what nobody has answered', async () => {
    const icmp = { pool: 'ams1', protocol: 'icmp', perSecond: 50, seconds: 1, from };
    const { id } = await rig.start({ ...icmp, target: '10.10.0.99' });
    const answered = await rig.start({ ...icmp, from: { ...from, address: '10.10.0.51/24' }, to });
    const ended = (run: string) =>
      eventually(
        () => rig.read(run),
        ({ state }) => state !== 'running',
        `${run} has ended`,
      );
    expect(forwardOf(await ended(id))).toMatchObject({ sent: 50, received: 0 });
    expect(forwardOf(await ended(answered.id))).toMatchObject({ sent: 50, received: 50, lost: [] });
  });
});

describeNamespaces('the control port runs probes that also', () => {
  const rig = new Rig();

  it('carry a stream, and are gone at once when they are removed', async () => {
    const { id } = await rig.start({ ...udp, protocol: 'tcp', perSecond: 100 });
    await eventually(
      () => rig.read(id),
      (run) => forwardOf(run).received > 20,
      'the stream carries',
    );
    expect((await rig.api.delete(`/probes/${id}`)).status).toBe(204);
    expect(rig.ends()).toEqual([]);
    expect((await rig.api.get(`/probes/${id}`)).status).toBe(404);
    expect((await rig.api.post(`/probes/${id}/stop`)).status).toBe(404);
  });

  it('are refused with a reason, and nothing is made, when they make no sense', async () => {
    const { id } = await rig.start(udp);
    const cases: [object, RegExp][] = [
      [{ ...udp, perSecond: 1_001 }, /perSecond/],
      [{ ...udp, seconds: 1_201 }, /600000 probes at most/],
      [{ ...udp, to: undefined }, /need a far end/],
      [{ ...udp, protocol: 'icmp', to: undefined }, /target/],
      [{ ...udp, protocol: 'sctp' }, /protocol/],
      [{ ...udp, pool: 'nosuch' }, /there are: ams1/],
      [{ ...udp, from: { ...from, network: 'nosuch' } }, /it has management, tenant, public/],
      [{ ...udp, from: { ...from, address: '10.10.0.50' } }, /address/],
      [{ ...udp, from: { ...from, gateway: '192.0.2.1' } }, /is not reached from 10\.10\.0\.50\/24/],
      [{ ...udp, to: from }, /both ends/],
      [udp, new RegExp(`in use by ${id}`)],
    ];
    for (const [run, reason] of cases) {
      const { status, error } = await rig.start(run);
      expect({ status, error }).toEqual({ status: 400, error: expect.stringMatching(reason) });
    }
    expect(rig.ends()).toHaveLength(2);
  });
});

describe('a lab of in-process guests', () => {
  const { lab } = freshLab();

  it('says that it has no packets to measure', async () => {
    const control = await startControl(lab(), 0);
    const response = await request(control.url).post('/probes').send(udp);
    expect(response.status).toBe(409);
    expect(response.body).toEqual({ error: expect.stringContaining('guests: namespaces') });
    expect((await request(control.url).get('/probes')).body).toEqual([]);
    await control.close();
  });
});
