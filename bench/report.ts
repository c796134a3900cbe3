import { writeFileSync } from 'node:fs';
import { availableParallelism, release, totalmem } from 'node:os';

export type Figures = Readonly<Record<string, number>>;

export interface Report {
  readonly bench: string;
  readonly machine: {
    readonly cores: number;
    readonly memoryGiB: number;
    readonly node: string;
    readonly kernel: string;
  };
  readonly figures: Figures;
}

export function reportOf(bench: string, figures: Figures): Report {
  const memoryGiB = round(totalmem() / 2 ** 30);
  return {
    bench,
    machine: { cores: availableParallelism(), memoryGiB, node: process.version, kernel: release() },
    figures,
  };
}

export function writeReport(file: string, report: Report): void {
  writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
}

/** Three digits that say something, whatever the size: figures are compared, not admired. */
export function round(value: number): number {
  return Number(value.toPrecision(3));
}

/** Rows under each other, first column to the left, the others to the right. */
export function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row.map((text, at) => (at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0))).join('  ');
  return rows.map((row) => `  ${line(row).trimEnd()}`).join('\n');
}

/** The value that 99 of 100 samples do not exceed; the largest one of fewer than 100. */
export function p99(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? NaN;
}
