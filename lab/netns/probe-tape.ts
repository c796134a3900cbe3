import { nowMs, type EndReport } from './probe-wire.ts';

/** What one end of a probe sees, noted as it comes and handed on piece by piece: a long run is told while it goes on. */
export class Tape {
  #sentAtMs: number[] = [];
  #arrivals: [number, number][] = [];
  #sent = 0;
  #arrived = 0;

  get sent(): number {
    return this.#sent;
  }

  get arrived(): number {
    return this.#arrived;
  }

  /** Gives the number of the probe that is about to go. */
  noteSending(): number {
    this.#sentAtMs.push(nowMs());
    this.#sent += 1;
    return this.#sent - 1;
  }

  noteArrival(sequence: number): void {
    this.#arrivals.push([sequence, nowMs()]);
    this.#arrived += 1;
  }

  /** What was noted since the last time. */
  take(): Pick<EndReport, 'sentAtMs' | 'arrivals'> {
    const piece = { sentAtMs: this.#sentAtMs, arrivals: this.#arrivals };
    this.#sentAtMs = [];
    this.#arrivals = [];
    return piece;
  }
}
