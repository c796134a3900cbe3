interface Occasion {
  /** The first occasion on which the fault happens, counted from 1, the default. */
  readonly nth?: number;
  /** On how many occasions in a row it happens; 1 is the default. */
  readonly times?: number;
}

interface RequestOccasion extends Occasion {
  /**
   * Whether this chunk of bytes from the client counts; without it every chunk does. A chunk is what arrives together: a message of the
   * protocol may be spread over several.
   */
  readonly match?: (chunk: Buffer) => boolean;
}

/**
 * - `refuse`: a new connection is reset before anything is passed on; its occasions are connections, not chunks
 * - `cut-before`: both sides are reset, the server never sees the chunk
 * - `cut-after-request`: the chunk is passed on; when the server answers, the answer is dropped and both sides are reset
 * - `delay`: the chunk is passed on `delayMs` later, and what follows it after it
 * - `half-open`: the chunk and everything after it, in both directions, vanishes; both sides stay connected
 */
export type TcpFault =
  | ({ readonly kind: 'refuse' } & Occasion)
  | ({ readonly kind: 'cut-before' | 'cut-after-request' | 'half-open' } & RequestOccasion)
  | ({ readonly kind: 'delay'; readonly delayMs: number } & RequestOccasion);

export type RequestFault = Exclude<TcpFault, { kind: 'refuse' }>;

export interface FaultHandle {
  /** How often the fault has happened. */
  readonly fired: number;
}

class PlannedFault<Fault extends Occasion> implements FaultHandle {
  readonly fault: Fault;
  fired = 0;
  #occasions = 0;

  constructor(fault: Fault) {
    this.fault = fault;
  }

  /** Counts an occasion; true when the fault happens now. */
  happens(): boolean {
    const { nth = 1, times = 1 } = this.fault;
    this.#occasions += 1;
    const isDue = this.#occasions >= nth && this.#occasions < nth + times;
    if (isDue) this.fired += 1;
    return isDue;
  }
}

/** The faults that are planned for one proxy. */
export class PlannedFaults {
  readonly #refusals: PlannedFault<TcpFault>[] = [];
  readonly #requestFaults: PlannedFault<RequestFault>[] = [];

  add(fault: TcpFault): FaultHandle {
    if (fault.kind === 'refuse') {
      const refusal = new PlannedFault<TcpFault>(fault);
      this.#refusals.push(refusal);
      return refusal;
    }
    const planned = new PlannedFault(fault);
    this.#requestFaults.push(planned);
    return planned;
  }

  refusesConnection(): boolean {
    return this.#refusals.some((planned) => planned.happens());
  }

  nextFor(chunk: Buffer): RequestFault | undefined {
    return this.#requestFaults.find((planned) => (planned.fault.match?.(chunk) ?? true) && planned.happens())?.fault;
  }
}
