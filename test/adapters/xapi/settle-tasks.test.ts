import { describe, expect, it } from '@jest/globals';
import { Memory, openPool } from './support.ts';

const { lab, xapi, template } = await openPool();

/** A task of VM.clone that is held before its effect. */
async function heldClone(name: string) {
  const held = lab.hold({ method: 'VM.clone', at: 'before-effect' });
  const cloning = xapi.task(new Memory(), 'VM.clone', template, name);
  const waited = cloning.catch((error: unknown) => error);
  const { taskRef = '' } = await held.reached;
  return { held, taskRef, waited };
}

async function cancelArrived(taskRef: string): Promise<void> {
  while (!lab.calls({ method: 'task.cancel' }).some((call) => call.params[0] === taskRef)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('settling the tasks of a step', () => {
  it('waits for the remembered task until it has taken effect', async () => {
    const { held, taskRef, waited } = await heldClone('late');
    const memory = new Memory(taskRef);
    const settling = xapi.settleTasks(memory, 'VM.clone', { timeoutMs: 10_000 });
    held.release();
    await settling;
    await expect(xapi.call('VM.get_by_name_label', 'late')).resolves.toHaveLength(1);
    expect(memory.taskRef).toBeUndefined();
    await waited;
  });

  it('cancels the remembered task when asked to', async () => {
    const { held, taskRef, waited } = await heldClone('cancelled');
    const settling = xapi.settleTasks(new Memory(taskRef), 'VM.clone', { timeoutMs: 10_000, cancel: true });
    await cancelArrived(taskRef);
    held.release();
    await settling;
    await expect(xapi.call('VM.get_by_name_label', 'cancelled')).resolves.toEqual([]);
    await waited;
  });

  it('takes a task that is gone for settled', async () => {
    const memory = new Memory('OpaqueRef:gone');
    await xapi.settleTasks(memory, 'VM.clone', { timeoutMs: 10_000, cancel: true });
    expect(memory.told).toEqual(['forget']);
  });

  it('says that the pool is busy, and keeps the task in mind, when it does not end in time', async () => {
    const { held, taskRef, waited } = await heldClone('stuck');
    const memory = new Memory(taskRef);
    await expect(xapi.settleTasks(memory, 'VM.clone', { timeoutMs: 50 })).rejects.toMatchObject({ code: 'POOL_BUSY' });
    expect(memory.taskRef).toBe(taskRef);
    held.release();
    await waited;
  });

  it('waits without a remembered task for every one of that name, and lets other kinds be', async () => {
    const { held, waited } = await heldClone('of-another');
    const other = { timeoutMs: 50, cancel: true };
    await xapi.settleTasks(new Memory(), 'VM.copy', other);
    await expect(xapi.settleTasks(new Memory(), 'VM.clone', other)).rejects.toMatchObject({ code: 'POOL_BUSY' });
    held.release();
    await xapi.settleTasks(new Memory(), 'VM.clone', { timeoutMs: 10_000 });
    await waited;
    await expect(xapi.call('VM.get_by_name_label', 'of-another')).resolves.toHaveLength(1);
  });

  it('never cancels and never removes a task that may be of another run', async () => {
    const { held, taskRef, waited } = await heldClone('not-ours');
    const settling = xapi.settleTasks(new Memory(), 'VM.clone', { timeoutMs: 10_000, cancel: true });
    held.release();
    await settling;
    await expect(waited).resolves.toMatch(/^OpaqueRef:/);
    expect(lab.calls({ method: 'task.cancel' }).filter((call) => call.params[0] === taskRef)).toEqual([]);
  });

  it('ends with the reason of the abort', async () => {
    const { held, taskRef, waited } = await heldClone('shutdown');
    const memory = new Memory(taskRef);
    const settling = xapi.settleTasks(memory, 'VM.clone', { timeoutMs: 10_000 });
    memory.abort(new Error('worker shuts down'));
    await expect(settling).rejects.toThrow('worker shuts down');
    held.release();
    await waited;
  });
});
