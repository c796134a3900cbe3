import { stripVTControlCharacters } from 'node:util';
import type { RunDetail } from './api-client.ts';
import type { Io } from './io.ts';
import type { Paint } from './render.ts';
import { runLines } from './render.ts';

/** Runs with their steps, drawn again in place; times go on while nothing happens. */
export class LiveTree {
  readonly #io: Pick<Io, 'out'>;
  readonly #terminal: NonNullable<Io['terminal']>;
  readonly #paint: Paint;
  readonly #runs = new Map<string, RunDetail>();
  #drawnLines = 0;

  constructor(io: Pick<Io, 'out'>, terminal: NonNullable<Io['terminal']>, paint: Paint) {
    this.#io = io;
    this.#terminal = terminal;
    this.#paint = paint;
  }

  show(run: RunDetail): void {
    this.#runs.set(run.id, run);
    this.draw();
  }

  /** What is higher than the terminal cannot be drawn over: its upper part is left out. */
  draw(): void {
    const { columns, rows } = this.#terminal;
    this.#put(
      this.#lines()
        .slice(1 - rows)
        .map((line) => fitting(line, columns)),
    );
  }

  /** Once more and whole; nothing is drawn over it any more. */
  leave(): void {
    this.#put(this.#lines());
    this.#drawnLines = 0;
  }

  #lines(): string[] {
    const nowMs = Date.now();
    return [...this.#runs.values()].flatMap((run) => runLines(run, this.#paint, nowMs));
  }

  #put(lines: readonly string[]): void {
    const back = this.#drawnLines === 0 ? '' : `\x1b[${this.#drawnLines}A\x1b[0J`;
    if (lines.length > 0) this.#io.out(`${back}${lines.join('\n')}\n`);
    this.#drawnLines = lines.length;
  }
}

/** A line that wraps would spoil the count of lines to go back. */
function fitting(line: string, columns: number): string {
  const text = stripVTControlCharacters(line);
  return text.length <= columns ? line : `${text.slice(0, columns - 1)}…`;
}
