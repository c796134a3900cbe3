import type { OpenCall } from './call-log.ts';

interface Match {
  /** `VM.clone` (its Async form too), `PUT /import_raw_vdi`, or `guest.boot`. */
  readonly method: string;
  /** A reference, uuid or name_label among the call's parameters; any if left out. */
  readonly object?: string;
  /** The id of the pool that is called; any if left out. */
  readonly pool?: string;
  /** The first matching call that it applies to, counted from 1 when the plan is made. */
  readonly nth?: number;
}

export type Fault = Match & {
  /** How many matching calls in a row; 1 if left out. */
  readonly times?: number;
} & (
    | { readonly kind: 'refused'; readonly error: readonly [string, ...string[]] }
    /** The effect is done (an Async call's task is made and runs), the connection is cut without an answer. */
    | { readonly kind: 'reply-lost' }
    /** The connection is cut at once, the effect (an Async call's task) happens `delayMs` later. */
    | { readonly kind: 'late-effect'; readonly delayMs: number }
    | { readonly kind: 'slow'; readonly delayMs: number }
    /** The connection is cut before anything is done. */
    | { readonly kind: 'cut' }
    /** For `guest.boot`: the VM runs, its guest never answers. */
    | { readonly kind: 'never-boots' }
  );

export interface PlannedFault {
  readonly id: string;
  readonly fault: Fault;
  /** How many calls it was applied to so far. */
  readonly fired: number;
}

export type BarrierSpec = Match & {
  /** An Async call is held in its task, whose reference the caller already has; another one is held before its answer. */
  readonly at: 'before-effect' | 'after-effect';
};

export interface Reached {
  /** As sent, with "Async." */
  readonly method: string;
  readonly taskRef: string | undefined;
  /** `seq` in the call log. */
  readonly callId: number;
}

export interface Barrier {
  readonly id: string;
  readonly reached: Promise<Reached>;
  /** Undefined until a call is held. */
  readonly held: Reached | undefined;
  /** Lets the held call go on; later ones pass. */
  release(): void;
}

/** What can be matched: the method without "Async." and everything that names an object of the call. */
export interface Target {
  readonly method: string;
  readonly objects: ReadonlySet<string>;
  readonly pool: string;
}

function countMatch(match: Match, seen: number, times: number, target: Target): { seen: number; applies: boolean } {
  const named = match.object === undefined || target.objects.has(match.object);
  const called = match.method === target.method && (match.pool === undefined || match.pool === target.pool);
  if (!named || !called) return { seen, applies: false };
  const first = match.nth ?? 1;
  return { seen: seen + 1, applies: seen + 1 >= first && seen + 1 < first + times };
}

class OpenBarrier implements Barrier {
  readonly id: string;
  readonly spec: BarrierSpec;
  readonly reached: Promise<Reached>;
  held: Reached | undefined;
  seen = 0;
  private readonly released: Promise<void>;
  private settleReached: (reached: Reached) => void = () => undefined;
  private settleReleased: () => void = () => undefined;

  constructor(id: string, spec: BarrierSpec) {
    this.id = id;
    this.spec = spec;
    this.reached = new Promise((resolve) => (this.settleReached = resolve));
    this.released = new Promise((resolve) => (this.settleReleased = resolve));
  }

  async hold(reached: Reached): Promise<void> {
    this.held = reached;
    this.settleReached(reached);
    await this.released;
  }

  release(): void {
    this.settleReleased();
  }
}

/** The faults and barriers that are planned, and which call each of them meets. */
export class FaultPlan {
  private readonly faults: { id: string; fault: Fault; fired: number; seen: number }[] = [];
  private readonly barriers: OpenBarrier[] = [];
  private lastId = 0;

  plan(fault: Fault): PlannedFault {
    const planned = { id: `fault-${++this.lastId}`, fault, fired: 0, seen: 0 };
    this.faults.push(planned);
    return planned;
  }

  find(id: string): PlannedFault | undefined {
    return this.faults.find((planned) => planned.id === id);
  }

  hold(spec: BarrierSpec): Barrier {
    const barrier = new OpenBarrier(`barrier-${++this.lastId}`, spec);
    this.barriers.push(barrier);
    return barrier;
  }

  findBarrier(id: string): Barrier | undefined {
    return this.barriers.find((barrier) => barrier.id === id);
  }

  /** Forgets every planned fault and lets every held call go on. */
  clear(): void {
    this.faults.splice(0);
    for (const barrier of this.barriers.splice(0)) barrier.release();
  }

  /** The fault that this call meets; counts as fired. The first plan that applies wins. */
  take(target: Target, call: OpenCall | undefined): Fault | undefined {
    let taken: Fault | undefined;
    for (const planned of this.faults) {
      const { seen, applies } = countMatch(planned.fault, planned.seen, planned.fault.times ?? 1, target);
      planned.seen = seen;
      if (!applies || taken !== undefined) continue;
      planned.fired += 1;
      taken = planned.fault;
      if (call !== undefined) call.faults = [...call.faults, planned.id];
    }
    return taken;
  }

  /** Waits for as long as a barrier holds this call at this point. */
  async pass(at: BarrierSpec['at'], target: Target, reached: Reached): Promise<void> {
    for (const barrier of this.barriers) {
      if (barrier.spec.at !== at) continue;
      const { seen, applies } = countMatch(barrier.spec, barrier.seen, 1, target);
      barrier.seen = seen;
      if (applies) await barrier.hold(reached);
    }
  }
}
