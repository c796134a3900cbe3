import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import ssh2 from 'ssh2';
import { faultKinds, parseFault } from '../../lab/fault-spec.ts';
import type { FaultSpec } from '../../lab/fault-spec.ts';
import { byName, deploy, freshLab } from './with-lab.ts';

const { lab, client } = freshLab({ guestSshPort: 0 });

const clone = async (name: string, prefix = '') =>
  client().call(`${prefix}VM.clone`, await byName(client(), 'VM', 'debian-12'), name);
const named = (name: string) => client().call<string[]>('VM.get_by_name_label', name);
const lastCall = (method: string) => lab().calls({ method }).at(-1);

async function untilDone(method: string): Promise<void> {
  while (lastCall(method)?.outcome === 'pending') await client().call('event.from', ['*'], '', 0.01);
}

/** Which of the calls with these numbers were refused. */
async function refusedOf(count: number): Promise<number[]> {
  const refused: number[] = [];
  for (let number = 1; number <= count; number++) {
    await client()
      .call('host.get_all')
      .catch(() => refused.push(number));
  }
  return refused;
}

const tooBusy = { method: 'host.get_all', kind: 'refused', error: ['TOO_BUSY'] } as const;

describe('the occasions of a fault', () => {
  it('are drawn alike from the same seed, and otherwise from another', async () => {
    const drawn: number[][] = [];
    for (const seed of [7, 7, 8]) {
      lab().plan({ ...tooBusy, probability: 0.5, seed });
      drawn.push(await refusedOf(20));
      lab().clearFaults();
    }
    expect(drawn[0]?.length).toBeGreaterThan(0);
    expect(drawn[0]?.length).toBeLessThan(20);
    expect(drawn[1]).toEqual(drawn[0]);
    expect(drawn[2]).not.toEqual(drawn[0]);
  });

  it('begin at the nth and go on for as many as were said, or for ever', async () => {
    lab().plan({ ...tooBusy, nth: 2, times: 2 });
    expect(await refusedOf(5)).toEqual([2, 3]);
    lab().clearFaults();
    lab().plan({ ...tooBusy, nth: 3, times: 'always' });
    expect(await refusedOf(5)).toEqual([3, 4, 5]);
  });

  it('can be those of one host only, by its name or address', async () => {
    const [pool] = lab().pools;
    const there = lab().plan({ ...tooBusy, host: 'ams1-h1' });
    const elsewhere = lab().plan({ ...tooBusy, host: pool?.hostAddresses[1] ?? '' });
    expect(await refusedOf(2)).toEqual([1]);
    expect([there.fired, elsewhere.fired]).toEqual([1, 0]);
  });

  it('are every call when no method is given, but nothing that is no call', async () => {
    const planned = lab().plan({ kind: 'refused', error: ['TOO_BUSY'], times: 'always' });
    expect(await client().refusal('VM.get_all')).toEqual(['TOO_BUSY']);
    expect(await client().refusal('host.get_all')).toEqual(['TOO_BUSY']);
    expect(planned.fired).toBe(2);
  });
});

describe('a fault of a call', () => {
  it('lets a request arrive late: its task is made then, not before', async () => {
    const delayMs = 50;
    let taskMadeMs = 0;
    lab().world.store.onChange(({ cls, operation }) => {
      if (cls === 'task' && operation === 'add') taskMadeMs = performance.now();
    });
    lab().plan({ method: 'VM.clone', kind: 'late-request', delayMs });
    const sentMs = performance.now();
    await expect(clone('one', 'Async.')).rejects.toThrow('fetch failed');
    await untilDone('VM.clone');
    // A timer may fire a millisecond early.
    expect(taskMadeMs - sentMs).toBeGreaterThanOrEqual(delayMs - 1);
    expect(await client().call('task.get_all')).toEqual([lastCall('VM.clone')?.taskRef]);
    expect(await named('one')).toHaveLength(1);
  });

  it('lets a request arrive when its session has ended: it is refused then', async () => {
    lab().plan({ method: 'VM.clone', kind: 'late-request', delayMs: 1_000 });
    await expect(clone('one')).rejects.toThrow('fetch failed');
    lab().world.sessions.end(client().session);
    while (lastCall('VM.clone')?.outcome === 'pending') await sleep(10);
    expect(lastCall('VM.clone')).toMatchObject({ outcome: 'failed', error: ['SESSION_INVALID', client().session] });
  });

  it('breaks the connection in the middle of an answer whose effect is done', async () => {
    lab().plan({ method: 'VM.clone', kind: 'cut', at: 'mid' });
    await expect(clone('one')).rejects.toThrow('terminated');
    expect(await named('one')).toHaveLength(1);
    expect(lastCall('VM.clone')).toMatchObject({ outcome: 'ok', cut: true });
  });

  it('breaks the connection behind a whole answer', async () => {
    const planned = lab().plan({ method: 'VM.clone', kind: 'cut', at: 'after' });
    expect(await clone('one')).toMatch(/^OpaqueRef:/);
    expect(planned.fired).toBe(1);
    expect(await named('one')).toHaveLength(1);
    expect(lastCall('VM.clone')).toMatchObject({ outcome: 'ok', cut: false });
  });

  it('ends the session: this call and every later one of it is refused', async () => {
    lab().plan({ method: 'VM.clone', kind: 'session-expired' });
    const template = await byName(client(), 'VM', 'debian-12');
    const invalid = ['SESSION_INVALID', client().session];
    expect(await client().refusal('Async.VM.clone', template, 'one')).toEqual(invalid);
    expect(await client().refusal('VM.get_all')).toEqual(invalid);
  });

  it('answers as a member does', async () => {
    const [pool] = lab().pools;
    lab().plan({ method: 'VM.get_all', kind: 'host-is-slave' });
    lab().plan({ method: 'VM.get_all', nth: 2, kind: 'host-is-slave', address: '192.0.2.1' });
    expect(await client().refusal('VM.get_all')).toEqual(['HOST_IS_SLAVE', pool?.coordinatorAddress]);
    expect(await client().refusal('VM.get_all')).toEqual(['HOST_IS_SLAVE', '192.0.2.1']);
  });

  it('fills an SR up', async () => {
    const planned = lab().plan({ kind: 'sr-full', object: 'shared' });
    await expect(clone('one')).rejects.toThrow('SR_BACKEND_FAILURE_44');
    expect(planned.fired).toBe(1);
    expect(await clone('two')).toMatch(/^OpaqueRef:/);
  });

  it('breaks an upload in its middle: the task fails and nothing is written', async () => {
    const about = { name_label: 'drive', type: 'user', sharable: false, read_only: false, other_config: {} };
    const sr = await byName(client(), 'SR', 'shared');
    const vdi = await client().call('VDI.create', { SR: sr, virtual_size: 2 ** 22, ...about });
    const task = await client().call('task.create', 'upload', '');
    lab().plan({ method: 'PUT /import_raw_vdi', kind: 'cut', at: 'mid' });
    const url = `${client().url}/import_raw_vdi?vdi=${vdi}&task_id=${task}&session_id=${client().session}`;
    const sent = fetch(url, { method: 'PUT', body: Buffer.alloc(2 ** 22, 'x') }).then((answer) => answer.arrayBuffer());
    await sent.catch(() => undefined);
    expect(await client().task(task)).toMatchObject({
      status: 'failure',
      error_info: ['VDI_IO_ERROR', expect.any(String)],
    });
    expect(lab().world.contents.has(vdi)).toBe(false);
  });
});

describe('a fault of a guest', () => {
  async function start(): Promise<{ host: string; port: number }> {
    const vm = await deploy(client(), 'web-1');
    await client().call('VM.start', vm, false, false);
    const booted = await lab().world.runningGuests.get(vm)?.booted;
    return { host: booted?.address ?? '', port: 2222 };
  }

  /** The base64 of the host key that the guest shows; rejects when the connection breaks before. */
  function shownKey(at: { host: string; port: number }): Promise<string> {
    return new Promise((resolve, reject) => {
      const ssh = new ssh2.Client().on('error', reject).on('close', () => reject(new Error('closed')));
      const hostVerifier = (key: Buffer) => {
        resolve(key.toString('base64'));
        return false;
      };
      ssh.connect({ ...at, username: 'nobody', hostVerifier });
    });
  }

  it('resets connections, at once or after some bytes, and shows a host key that it never had', async () => {
    const guest = await start();
    const own = await shownKey(guest);
    lab().plan({ kind: 'ssh-refused', object: 'web-1' });
    await expect(shownKey(guest)).rejects.toThrow();
    expect(await shownKey(guest)).toBe(own);
    lab().plan({ kind: 'ssh-drops', object: 'web-1', afterBytes: 10 });
    await expect(shownKey(guest)).rejects.toThrow();
    lab().plan({ kind: 'wrong-host-key', object: 'web-1' });
    expect(await shownKey(guest)).not.toBe(own);
    expect(await shownKey(guest)).toBe(own);
  });

  it('drops a connection that has lasted for so long', async () => {
    const guest = await start();
    lab().plan({ kind: 'ssh-drops', afterMs: 20 });
    const socket = connect(guest);
    socket.on('error', () => undefined).resume();
    await new Promise((resolve) => socket.on('close', resolve));
    expect(socket.bytesRead).toBeGreaterThan(0);
  });
});

describe('what is no fault', () => {
  it.each([
    [{ kind: 'explode' }, `kind: has to be one of ${[...faultKinds.keys()].join(', ')}`],
    [{ kind: 'cut', when: 1 }, 'when: unknown; a fault of kind cut takes method, at, object'],
    [{ kind: 'cut', method: 'VM.clon' }, 'similar ones are VM.clone'],
    [{ kind: 'cut', method: 'Async.VM.clone' }, 'leave the prefix out'],
    [{ kind: 'slow', method: 'VM.clone' }, 'delayMs: '],
    [{ kind: 'cut', probability: 2 }, 'probability: '],
  ])('%j is told with the place and what there is', (spec, words) => {
    const parsed = parseFault(spec);
    expect('problems' in parsed ? parsed.problems.join('\n') : '').toContain(words);
    expect(() => lab().plan(spec as FaultSpec)).toThrow();
    expect(lab().faults.list()).toEqual([]);
  });
});
