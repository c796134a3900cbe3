import type { OpenCall } from './call-log.ts';
import type { BarrierSpec, Blow, Fault, FaultSpec } from './fault-spec.ts';
import { faultSchema, isBlow, isPoint } from './fault-spec.ts';
import { Dice } from './world/dice.ts';

export interface PlannedFault {
  readonly id: string;
  readonly fault: Fault;
  /** How often it happened so far. */
  readonly fired: number;
}

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

/** What can be matched: the method without "Async." (or a point) and everything that names an object or the host of it. */
export interface Target {
  readonly method: string;
  readonly objects: ReadonlySet<string>;
  readonly pool: string;
  /** Reference, name, uuid and address of the host. */
  readonly host?: ReadonlySet<string>;
}

interface Match {
  readonly method?: string | undefined;
  readonly object?: string | undefined;
  readonly pool?: string | undefined;
  readonly host?: string | undefined;
}

function fits({ method, object, pool, host }: Match, target: Target): boolean {
  return (
    (method === undefined ? !isPoint(target.method) : method === target.method) &&
    (object === undefined || target.objects.has(object)) &&
    (pool === undefined || target.pool === pool) &&
    (host === undefined || target.host?.has(host) === true)
  );
}

class Planned implements PlannedFault {
  readonly id: string;
  readonly fault: Fault;
  fired = 0;
  private seen = 0;
  private readonly dice: Dice;

  constructor(id: string, fault: Fault, dice: Dice) {
    this.id = id;
    this.fault = fault;
    this.dice = dice;
  }

  /** Counts an occasion that fits; true when the fault is due on it. */
  isDue(target: Target): boolean {
    if (!fits(this.fault, target)) return false;
    const { nth = 1, probability } = this.fault;
    const { times = probability === undefined ? 1 : 'always' } = this.fault;
    this.seen += 1;
    const isMeant = this.seen >= nth && (times === 'always' || this.seen < nth + times);
    return isMeant && (probability === undefined || this.dice.roll() < probability);
  }
}

class OpenBarrier implements Barrier {
  readonly id: string;
  readonly spec: BarrierSpec;
  readonly reached: Promise<Reached>;
  held: Reached | undefined;
  private seen = 0;
  private readonly released: Promise<void>;
  private settleReached: (reached: Reached) => void = () => undefined;
  private settleReleased: () => void = () => undefined;

  constructor(id: string, spec: BarrierSpec) {
    this.id = id;
    this.spec = spec;
    this.reached = new Promise((resolve) => (this.settleReached = resolve));
    this.released = new Promise((resolve) => (this.settleReleased = resolve));
  }

  isDue(target: Target): boolean {
    if (!fits(this.spec, target)) return false;
    this.seen += 1;
    return this.seen === (this.spec.nth ?? 1);
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
  private readonly faults: Planned[] = [];
  private readonly barriers: OpenBarrier[] = [];
  private readonly seed: number;
  private readonly strike: (fault: Blow, target: Target) => void;
  private lastId = 0;

  /** The seed is for the faults with a probability that bring none of their own; `strike` deals blows. */
  constructor(seed: number | undefined, strike: (fault: Blow, target: Target) => void) {
    this.seed = seed ?? 0;
    this.strike = strike;
  }

  /** Throws ZodError when it is no fault. */
  plan(spec: FaultSpec): PlannedFault {
    const fault = faultSchema.parse(spec);
    const number = ++this.lastId;
    const planned = new Planned(`fault-${number}`, fault, new Dice(fault.seed ?? this.seed + number));
    this.faults.push(planned);
    return planned;
  }

  /** Whether nothing is planned that a call could meet. */
  get isIdle(): boolean {
    return this.faults.length === 0 && this.barriers.length === 0;
  }

  list(): readonly PlannedFault[] {
    return this.faults;
  }

  find(id: string): PlannedFault | undefined {
    return this.faults.find((planned) => planned.id === id);
  }

  /** Answers whether there was such a fault. */
  forget(id: string): boolean {
    const at = this.faults.findIndex((planned) => planned.id === id);
    if (at >= 0) this.faults.splice(at, 1);
    return at >= 0;
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

  /** The fault that this call meets; counts as fired. The first plan that is due wins. */
  take(target: Target, call?: OpenCall): Fault | undefined {
    const [taken] = this.faults.filter((planned) => planned.isDue(target));
    if (taken === undefined) return undefined;
    taken.fired += 1;
    if (call !== undefined) call.faults = [...call.faults, taken.id];
    if (isBlow(taken.fault)) this.strike(taken.fault, target);
    return taken.fault;
  }

  /** Waits for as long as a barrier holds this call at this point. */
  async pass(at: BarrierSpec['at'], target: Target, reached: Reached): Promise<void> {
    for (const barrier of this.barriers) {
      if (barrier.spec.at === at && barrier.isDue(target)) await barrier.hold(reached);
    }
  }
}
