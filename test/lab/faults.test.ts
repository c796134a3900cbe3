import { describe, expect, it } from '@jest/globals';
import { byName, freshLab } from './with-lab.ts';

const { lab, client } = freshLab();

const clone = async (name: string, prefix = '') =>
  client().call(`${prefix}VM.clone`, await byName(client(), 'VM', 'debian-12'), name);
const named = (name: string) => client().call<string[]>('VM.get_by_name_label', name);

/** The last call of this name in the lab's log. */
const lastCall = (method: string) => lab().calls({ method }).at(-1);

async function untilDone(method: string): Promise<void> {
  while (lastCall(method)?.outcome === 'pending') await client().call('event.from', ['*'], '', 0.01);
}

/** When the last object of a class was made from now on. */
function momentsOfMaking(): (cls: string) => number {
  const moments = new Map<string, number>();
  lab().world.store.onChange(({ cls, operation }) => {
    if (operation === 'add') moments.set(cls, performance.now());
  });
  return (cls) => moments.get(cls) ?? NaN;
}

describe('a planned fault', () => {
  it('refuses the call it is planned for, once, and no other', async () => {
    const planned = lab().plan({
      method: 'VM.clone',
      nth: 2,
      kind: 'refused',
      error: ['SR_BACKEND_FAILURE_44', '', 'full', ''],
    });
    await clone('one');
    await expect(clone('two')).rejects.toThrow('SR_BACKEND_FAILURE_44, , full, ');
    await clone('three');
    expect(planned.fired).toBe(1);
    expect([await named('one'), await named('two'), await named('three')].map((found) => found.length)).toEqual([
      1, 0, 1,
    ]);
    expect(
      lab()
        .calls({ method: 'VM.clone' })
        .map(({ faults }) => faults),
    ).toEqual([[], [planned.id], []]);
  });

  it('meets only the object that it names', async () => {
    lab().plan({ method: 'VM.clone', object: 'mine', kind: 'refused', error: ['TOO_BUSY'] });
    await clone('other');
    await expect(clone('mine')).rejects.toThrow('TOO_BUSY');
  });

  it('makes the task of an Async call fail', async () => {
    lab().plan({ method: 'VM.clone', kind: 'refused', error: ['TOO_BUSY'] });
    expect(await client().task(await clone('one', 'Async.'))).toMatchObject({
      status: 'failure',
      error_info: ['TOO_BUSY'],
    });
  });

  it('loses the reply of a call whose effect is done', async () => {
    lab().plan({ method: 'VM.clone', kind: 'reply-lost' });
    await expect(clone('one')).rejects.toThrow('fetch failed');
    expect(await named('one')).toHaveLength(1);
    expect(lastCall('VM.clone')).toMatchObject({ outcome: 'ok', cut: true });
  });

  it('loses the reference of a task that runs', async () => {
    lab().plan({ method: 'VM.clone', kind: 'reply-lost' });
    await expect(clone('one', 'Async.')).rejects.toThrow('fetch failed');
    const { taskRef } = lastCall('VM.clone') ?? {};
    expect(await client().task(taskRef ?? '')).toMatchObject({ status: 'success' });
    expect(await named('one')).toHaveLength(1);
  });

  it('cuts the connection at once and lets the effect come later', async () => {
    const made = momentsOfMaking();
    lab().plan({ method: 'VM.clone', kind: 'late-effect', delayMs: 50 });
    const sentMs = performance.now();
    await expect(clone('one')).rejects.toThrow('fetch failed');
    await untilDone('VM.clone');
    // A timer may fire a millisecond early.
    expect(made('VM') - sentMs).toBeGreaterThanOrEqual(49);
    expect(await named('one')).toHaveLength(1);
  });

  it('lets the task of an Async call work later although nobody was told of it', async () => {
    const made = momentsOfMaking();
    lab().plan({ method: 'VM.clone', kind: 'late-effect', delayMs: 50 });
    await expect(clone('one', 'Async.')).rejects.toThrow('fetch failed');
    const [task = ''] = await client().call<string[]>('task.get_all');
    expect(await client().task(task)).toMatchObject({ status: 'success' });
    expect(made('VM') - made('task')).toBeGreaterThanOrEqual(49);
    expect(await named('one')).toHaveLength(1);
  });

  it('slows a call down and then lets it do what it does', async () => {
    const planned = lab().plan({ method: 'VM.clone', kind: 'slow', delayMs: 20 });
    expect(await clone('one')).toMatch(/^OpaqueRef:/);
    expect(planned.fired).toBe(1);
  });

  it('cuts the connection before anything is done', async () => {
    lab().plan({ method: 'VM.clone', kind: 'cut', times: 2 });
    await expect(clone('one')).rejects.toThrow('fetch failed');
    await expect(clone('one', 'Async.')).rejects.toThrow('fetch failed');
    expect(await named('one')).toHaveLength(0);
    expect(await client().call('task.get_all')).toEqual([]);
    expect(lastCall('VM.clone')).toMatchObject({ outcome: 'dropped', cut: true });
  });

  it('is forgotten when the faults are cleared', async () => {
    lab().plan({ method: 'VM.clone', kind: 'cut', times: 9 });
    lab().clearFaults();
    expect(await clone('one')).toMatch(/^OpaqueRef:/);
  });
});

describe('a barrier', () => {
  it('holds the task of an Async call before its effect until it is released', async () => {
    const barrier = lab().hold({ method: 'VM.clone', at: 'before-effect' });
    const task = await clone('one', 'Async.');
    expect(await barrier.reached).toEqual({
      method: 'Async.VM.clone',
      taskRef: task,
      callId: lastCall('VM.clone')?.seq,
    });
    expect(await named('one')).toHaveLength(0);
    expect(await client().call('task.get_status', task)).toBe('pending');
    barrier.release();
    expect(await client().task(task)).toMatchObject({ status: 'success' });
  });

  it('holds the task of an Async call after its effect', async () => {
    const barrier = lab().hold({ method: 'VM.clone', at: 'after-effect' });
    const task = await clone('one', 'Async.');
    await barrier.reached;
    expect(await named('one')).toHaveLength(1);
    expect(await client().call('task.get_status', task)).toBe('pending');
    barrier.release();
    expect(await client().task(task)).toMatchObject({ status: 'success' });
  });

  it('holds the answer of a plain call, and only the call that it is for', async () => {
    const barrier = lab().hold({ method: 'VM.clone', nth: 2, at: 'after-effect' });
    await clone('one');
    const second = clone('two');
    await barrier.reached;
    expect(await named('two')).toHaveLength(1);
    await clone('three');
    barrier.release();
    expect(await second).toMatch(/^OpaqueRef:/);
  });
});

describe('the call log', () => {
  it('tells what each call made, whether it changes the world, and no secret', async () => {
    const vm = await clone('one');
    const log = lab().calls();
    const login = log.find(({ method }) => method === 'session.login_with_password');
    expect(login).toMatchObject({ params: ['root', '***'], mutating: false, host: 'ams1-h1', outcome: 'ok' });
    const made = lastCall('VM.clone');
    expect(made).toMatchObject({ mutating: true, outcome: 'ok', params: [expect.any(String), 'one'] });
    expect(made?.created.map(({ cls }) => cls).sort()).toEqual(['VBD', 'VDI', 'VIF', 'VM', 'VM_metrics']);
    expect(made?.created).toContainEqual(expect.objectContaining({ cls: 'VM', ref: vm }));
    expect(JSON.stringify(log)).not.toContain('lab-password');
    expect(
      lab()
        .calls({ mutating: true })
        .map(({ method }) => method),
    ).toEqual(['VM.clone']);
  });

  it('tells the code of a refused call', async () => {
    await client().refusal('VM.get_record', 'OpaqueRef:1');
    expect(lab().calls().at(-1)).toMatchObject({ outcome: 'failed', error: ['HANDLE_INVALID', 'VM', 'OpaqueRef:1'] });
  });
});
