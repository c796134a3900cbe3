import { Problem } from './problem.ts';
import type { StreamLimits } from './event-stream.ts';

/** Counts open streams: one client, or all together, must not use up the connections of the process. */
export class StreamGate {
  readonly #limits: StreamLimits;
  readonly #open = new Map<string, number>();

  constructor(limits: StreamLimits) {
    this.#limits = limits;
  }

  /** Answers what gives the place back. Throws RATE_LIMITED. */
  enter(caller: string): () => void {
    const own = this.#open.get(caller) ?? 0;
    const all = [...this.#open.values()].reduce((sum, count) => sum + count, 0);
    const { perCaller, inAll } = this.#limits;
    if (own >= perCaller) throw full(`${caller} has ${own} streams open, as many as one token may have`);
    if (all >= inAll) throw full(`${all} streams are open, as many as this process serves`);
    this.#open.set(caller, own + 1);
    return () => this.#leave(caller);
  }

  #leave(caller: string): void {
    const own = (this.#open.get(caller) ?? 0) - 1;
    if (own > 0) this.#open.set(caller, own);
    else this.#open.delete(caller);
  }
}

function full(why: string): Problem {
  return new Problem('RATE_LIMITED', `No further stream is served: ${why}.`, {
    hint: 'Close one, or wait as Retry-After says. GET /v1/events carries the events of all runs in one stream.',
  });
}
