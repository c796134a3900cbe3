import { describe, expect, it } from '@jest/globals';
import { byName, deploy, freshLab } from './with-lab.ts';

/** Real delays, so that an operation can be met while it runs: a start takes 200 ms, a clone 100 ms. */
const { lab, client } = freshLab({ latencies: 'reference', speed: 20 });

const operations = (vm: string) => client().call<Record<string, string>>('VM.get_current_operations', vm);

async function untilShown(vm: string, name: string): Promise<void> {
  for (let token = ''; !Object.values(await operations(vm)).includes(name);) {
    token = (await client().call<{ token: string }>('event.from', [`vm/${vm}`], token, 5.5)).token;
  }
}

describe('an operation under way', () => {
  it('is shown with its task, and nothing else is allowed meanwhile', async () => {
    const vm = await deploy(client(), 'web-1');
    const task = await client().call('Async.VM.start', vm, false, false);
    await untilShown(vm, 'start');
    expect(await operations(vm)).toEqual({ [task]: 'start' });
    expect(await client().call('VM.get_allowed_operations', vm)).toEqual([]);
    expect(await client().task(task)).toMatchObject({
      status: 'success',
      result: '<value></value>',
      progress: 1,
      allowed_operations: [],
    });
    expect(await operations(vm)).toEqual({});
  });

  it('makes a conflicting one wait, which then runs or fails on the state that it finds', async () => {
    const vm = await deploy(client(), 'web-1');
    const starting = await client().call('Async.VM.start', vm, false, false);
    await untilShown(vm, 'start');
    const again = await client().call('Async.VM.start', vm, false, false);
    const snapshot = await client().call('Async.VM.snapshot', vm, 'later');
    expect(await client().task(starting)).toMatchObject({ status: 'success' });
    expect(await client().task(again)).toMatchObject({
      status: 'failure',
      error_info: ['VM_BAD_POWER_STATE', vm, 'halted', 'running'],
    });
    expect(await client().task(snapshot)).toMatchObject({ status: 'success' });
  });

  it('lets several clones of one template run side by side', async () => {
    const template = await byName(client(), 'VM', 'debian-12');
    const tasks = [
      await client().call('Async.VM.clone', template, 'a'),
      await client().call('Async.VM.clone', template, 'b'),
    ];
    await untilShown(template, 'clone');
    expect(Object.keys(await operations(template)).sort()).toEqual([...tasks].sort());
    for (const task of tasks) expect(await client().task(task)).toMatchObject({ status: 'success' });
  });

  it('is cancelled with its task and leaves nothing behind', async () => {
    const vm = await deploy(client(), 'web-1');
    const before = lab().snapshot();
    const task = await client().call('Async.VM.start', vm, false, false);
    await untilShown(vm, 'start');
    await client().call('task.cancel', task);
    expect(await client().task(task)).toMatchObject({ status: 'cancelled', error_info: [], progress: 1 });
    expect(lab().diff(before)).toEqual([]);
  });

  it('gives way to a hard stop when it is a polite one', async () => {
    const vm = await deploy(client(), 'web-1');
    await client().call('VM.start', vm, false, false);
    for (let token = ''; (await client().call('VM.get_guest_metrics', vm)) === 'OpaqueRef:NULL';) {
      token = (await client().call<{ token: string }>('event.from', [`vm/${vm}`], token, 5.5)).token;
    }
    const polite = await client().call('Async.VM.clean_shutdown', vm);
    await untilShown(vm, 'clean_shutdown');
    await client().call('VM.hard_shutdown', vm);
    expect(await client().task(polite)).toMatchObject({ status: 'cancelled', error_info: [] });
    expect(await client().call('VM.get_power_state', vm)).toBe('Halted');
  });
});

describe('a task', () => {
  it('keeps its result as XML-RPC text and can be destroyed', async () => {
    const task = await client().call('Async.VM.clone', await byName(client(), 'VM', 'debian-12'), 'web-1');
    const { result } = await client().task(task);
    expect(result).toBe(`<value>${await byName(client(), 'VM', 'web-1')}</value>`);
    await client().call('task.cancel', task);
    await client().call('task.destroy', task);
    expect(await client().refusal('task.get_record', task)).toEqual(['HANDLE_INVALID', 'task', task]);
  });

  it('is swept away some time after it has ended, sessions after a day of silence', async () => {
    const task = await client().call('Async.VM.clone', await byName(client(), 'VM', 'debian-12'), 'web-1');
    await client().task(task);
    lab().world.sweep(Date.now() + 3_800_000 / lab().speed);
    expect(await client().call('task.get_status', task)).toBe('success');
    lab().world.sweep(Date.now() + 4_000_000 / lab().speed);
    expect(await client().refusal('task.get_status', task)).toEqual(['HANDLE_INVALID', 'task', task]);
    lab().world.sweep(Date.now() + 90_000_000 / lab().speed);
    expect(await client().refusal('VM.get_all')).toEqual(['SESSION_INVALID', client().session]);
  });

  it('can be read for some seconds after its end however fast the time of the lab passes', async () => {
    const task = await client().call('Async.VM.clone', await byName(client(), 'VM', 'debian-12'), 'web-1');
    await client().task(task);
    lab().setSpeed(20_000);
    const { tasks, store } = lab().world;
    tasks.expire(Date.now() + 8_000);
    expect(store.find('task', task)?.status).toBe('success');
    tasks.expire(Date.now() + 12_000);
    expect(store.find('task', task)).toBeUndefined();
  });
});
