import type { Latency } from './latency.ts';

/** Holds back for a while what high availability would restart. */
export class RestartHold {
  private readonly latency: Latency;
  private readonly closing: AbortSignal;
  private end = new AbortController();
  private passing: Promise<void> = Promise.resolve();

  constructor(latency: Latency, closing: AbortSignal) {
    this.latency = latency;
    this.closing = closing;
  }

  /** From now on, in place of what was asked for before; 0 ends it. */
  hold(seconds: number): void {
    this.end.abort();
    this.end = new AbortController();
    if (seconds <= 0) return;
    const signal = AbortSignal.any([this.end.signal, this.closing]);
    // Cut short is over as well.
    this.passing = this.latency.spendTimeout(seconds * 1000, signal).catch(() => undefined);
  }

  /** Resolves when nothing is held back any more. */
  async passed(): Promise<void> {
    for (let last: Promise<void> | undefined; last !== this.passing;) {
      last = this.passing;
      await last;
    }
  }
}
