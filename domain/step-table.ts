import type { RunState } from './run.ts';

interface Row {
  readonly step: string;
  mark: string;
  note: string;
}

/** What a run has done so far, as a markdown table for the Temporal UI. `show` is called at every change. */
export class StepTable {
  readonly #show: (markdown: string) => void;
  readonly #rows: Row[] = [];
  #state: RunState = 'running';

  constructor(show: (markdown: string) => void) {
    this.#show = show;
  }

  state(state: RunState): void {
    this.#state = state;
    this.#draw();
  }

  begin(step: string): void {
    this.#rows.push({ step, mark: '▶', note: 'at work' });
    this.#draw();
  }

  end(step: string, note = 'done'): void {
    this.#mark(step, '✔', note);
  }

  fail(step: string, note: string): void {
    this.#mark(step, '✖', note);
  }

  /** The step that was at work when the run turned back. */
  failLast(note: string): void {
    const row = this.#rows.at(-1);
    if (row !== undefined) this.#mark(row.step, '✖', note);
  }

  skip(step: string, reason: string): void {
    this.#mark(step, '↷', `left out: ${reason}`);
  }

  #mark(step: string, mark: string, note: string): void {
    const row = this.#rows.findLast((one) => one.step === step);
    if (row !== undefined) Object.assign(row, { mark, note });
    this.#draw();
  }

  #draw(): void {
    const lines = this.#rows.map(({ mark, step, note }) => `| ${mark} | ${step} | ${cell(note)} |`);
    this.#show([`**${this.#state}**`, '', '| | step | |', '|---|---|---|', ...lines].join('\n'));
  }
}

/** Keeps foreign words inside their cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
}
