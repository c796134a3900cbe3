import { describe, expect, it } from '@jest/globals';
import { StepTable } from '../../domain/step-table.ts';

function drawn(story: (table: StepTable) => void): string {
  let last = '';
  story(new StepTable((markdown) => (last = markdown)));
  return last;
}

describe('the step table in the Temporal UI', () => {
  it('shows each step once, with how it ended', () => {
    const markdown = drawn((table) => {
      table.begin('cloneVm');
      table.end('cloneVm');
      table.begin('startVm');
    });
    expect(markdown.split('\n').slice(-2)).toEqual(['| ✔ | cloneVm | done |', '| ▶ | startVm | at work |']);
  });

  it('says why a run turned back, and what was undone', () => {
    const markdown = drawn((table) => {
      table.begin('startVm');
      table.failLast('No host fits.\nh1: full | h2: down');
      table.state('undoing');
      table.begin('startVm.undo');
      table.end('startVm.undo', 'undone');
    });
    expect(markdown).toContain('**undoing**');
    expect(markdown).toContain('| ✖ | startVm | No host fits. h1: full \\| h2: down |');
    expect(markdown).toContain('| ✔ | startVm.undo | undone |');
  });

  it('names the reason of what an operator left out', () => {
    const markdown = drawn((table) => {
      table.begin('destroyDisks');
      table.skip('destroyDisks', 'SR is gone');
    });
    expect(markdown).toContain('| ↷ | destroyDisks | left out: SR is gone |');
  });
});
