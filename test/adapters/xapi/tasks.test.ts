import { describe, expect, it } from '@jest/globals';
import { Memory, openPool } from './support.ts';

const { lab, xapi, template } = await openPool();

async function vmsCalled(name: string): Promise<number> {
  return (await xapi.call('VM.get_by_name_label', name)).length;
}

describe('a task', () => {
  it('answers the reference of what it made, and leaves no task behind', async () => {
    const clone = await xapi.task(new Memory(), 'VM.clone', template, 'clone-1');
    await expect(xapi.call('VM.get_name_label', clone)).resolves.toBe('clone-1');
    await expect(xapi.call('task.get_all')).resolves.toEqual([]);
  });

  it('answers the empty string where there is no result', async () => {
    const clone = await xapi.task(new Memory(), 'VM.clone', template, 'void-result');
    await expect(xapi.task(new Memory(), 'VM.provision', clone)).resolves.toBe('');
  });

  it('answers a list where the result is a set', async () => {
    await expect(xapi.task(new Memory(), 'VM.get_possible_hosts', template)).resolves.toHaveLength(3);
  });

  it('is remembered while it runs and forgotten when its outcome is known', async () => {
    const memory = new Memory();
    const held = lab.hold({ method: 'VM.clone', at: 'before-effect' });
    const cloning = xapi.task(memory, 'VM.clone', template, 'remembered');
    const { taskRef } = await held.reached;
    await expect(memory.known).resolves.toBe(taskRef);
    expect(memory.told).toEqual([`remember ${taskRef}`]);
    held.release();
    await cloning;
    expect(memory.told).toEqual([`remember ${taskRef}`, 'forget']);
  });

  it('is attached to again, not started again, by the next attempt', async () => {
    const held = lab.hold({ method: 'VM.clone', at: 'before-effect' });
    const first = new Memory();
    const dying = xapi.task(first, 'VM.clone', template, 'attached');
    await held.reached;
    first.abort(new Error('worker is gone'));
    await expect(dying).rejects.toThrow('worker is gone');
    const second = xapi.task(new Memory(first.taskRef), 'VM.clone', template, 'attached');
    held.release();
    await expect(xapi.call('VM.get_name_label', await second)).resolves.toBe('attached');
    await expect(vmsCalled('attached')).resolves.toBe(1);
  });

  it('keeps running, and stays remembered, when the waiting is aborted', async () => {
    const held = lab.hold({ method: 'VM.clone', at: 'before-effect' });
    const memory = new Memory();
    const cloning = xapi.task(memory, 'VM.clone', template, 'aborted');
    const { taskRef = '' } = await held.reached;
    memory.abort(new Error('run cancelled'));
    await expect(cloning).rejects.toThrow('run cancelled');
    expect(memory.taskRef).toBe(taskRef);
    await expect(xapi.call('task.get_status', taskRef)).resolves.toBe('pending');
  });

  it('fails with the error of the task, and the next attempt starts a new one', async () => {
    const memory = new Memory();
    lab.plan({ method: 'VM.clone', kind: 'refused', error: ['SR_BACKEND_FAILURE_44', '', 'no space', ''] });
    await expect(xapi.task(memory, 'VM.clone', template, 'no-space')).rejects.toMatchObject({
      code: 'STORAGE_FULL',
      details: { object: `VM ${template}`, native: { code: 'SR_BACKEND_FAILURE_44' } },
    });
    await expect(xapi.task(memory, 'VM.clone', template, 'no-space')).resolves.toMatch(/^OpaqueRef:/);
  });

  it('that is gone is ambiguous, and the next attempt starts a new one', async () => {
    const memory = new Memory('OpaqueRef:of-before-the-restart');
    await expect(xapi.task(memory, 'VM.clone', template, 'gone')).rejects.toMatchObject({
      code: 'POOL_ERROR',
      message: expect.stringContaining('the next attempt looks before it acts'),
    });
    await expect(vmsCalled('gone')).resolves.toBe(0);
    await xapi.task(memory, 'VM.clone', template, 'gone');
    await expect(vmsCalled('gone')).resolves.toBe(1);
  });

  it('of an earlier part of the step is waited for, then the asked one starts', async () => {
    const clone = await xapi.task(new Memory(), 'VM.clone', template, 'two-parts');
    const provisioning = new Memory();
    const held = lab.hold({ method: 'VM.provision', at: 'before-effect' });
    const dying = xapi.task(provisioning, 'VM.provision', clone);
    await held.reached;
    provisioning.abort(new Error('worker is gone'));
    await expect(dying).rejects.toThrow('worker is gone');
    held.release();
    const copy = await xapi.task(new Memory(provisioning.taskRef), 'VM.clone', template, 'second-part');
    await expect(xapi.call('VM.get_name_label', copy)).resolves.toBe('second-part');
    await expect(xapi.call('VM.get_is_a_template', clone)).resolves.toBe(false);
  });

  it('that somebody cancels says so', async () => {
    const held = lab.hold({ method: 'VM.clone', at: 'before-effect' });
    const cloning = xapi.task(new Memory(), 'VM.clone', template, 'cancelled');
    const { taskRef = '' } = await held.reached;
    await xapi.call('task.cancel', taskRef);
    held.release();
    await expect(cloning).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
  });

  it('is not started twice when the answer to its start is lost', async () => {
    const lost = lab.plan({ method: 'VM.clone', kind: 'reply-lost' });
    const memory = new Memory();
    await expect(xapi.task(memory, 'VM.clone', template, 'lost')).rejects.toMatchObject({ code: 'POOL_UNREACHABLE' });
    expect(lost.fired).toBe(1);
    expect(memory.taskRef).toBeUndefined();
    await xapi.settleTasks(memory, 'VM.clone', { timeoutMs: 10_000 });
    await expect(vmsCalled('lost')).resolves.toBe(1);
  });
});
