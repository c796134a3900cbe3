import { describe, expect, it } from '@jest/globals';
import { Memory, openPool } from './support.ts';

const { lab, xapi, template } = await openPool();

const asked = (method: string) => lab.calls({ method }).length;

describe('waiting for tasks', () => {
  it('looks at each task twice at most, however long it takes, and asks for the changes of all with one question', async () => {
    lab.plan({ method: 'VM.clone', kind: 'slow', delayMs: 700, times: 10 });
    const [looksBefore, questionsBefore] = [asked('task.get_record'), asked('event.from')];
    const clones = Array.from({ length: 10 }, (_, at) => xapi.task(new Memory(), 'VM.clone', template, `many-${at}`));
    await expect(Promise.all(clones)).resolves.toHaveLength(10);
    expect(asked('task.get_record') - looksBefore).toBeLessThanOrEqual(20);
    expect(asked('event.from') - questionsBefore).toBeGreaterThan(0);
  });

  it('learns that a task is gone', async () => {
    const held = lab.hold({ method: 'VM.clone', at: 'before-effect' });
    const cloning = xapi.task(new Memory(), 'VM.clone', template, 'forgotten');
    const { taskRef = '' } = await held.reached;
    const lost = expect(cloning).rejects.toMatchObject({ code: 'POOL_ERROR' });
    await xapi.call('task.destroy', taskRef);
    await lost;
    held.release();
  });

  it('goes on when a question is lost, and when the session is', async () => {
    const cut = lab.plan({ method: 'event.from', kind: 'cut', times: 2 });
    const invalid = lab.plan({ method: 'event.from', nth: 3, kind: 'refused', error: ['SESSION_INVALID', 'gone'] });
    const held = lab.hold({ method: 'VM.clone', at: 'before-effect' });
    const cloning = xapi.task(new Memory(), 'VM.clone', template, 'cut-off');
    await held.reached;
    while (cut.fired < 2 || invalid.fired < 1) await new Promise((resolve) => setTimeout(resolve, 20));
    held.release();
    await expect(cloning).resolves.toMatch(/^OpaqueRef:/);
  });
});
