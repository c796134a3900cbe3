import { setTimeout as sleep } from 'node:timers/promises';

export type LatencyProfile = 'zero' | 'reference';

/** What kinds of work take, in milliseconds before division by the speed: assumed, typical of a pool with shared storage. */
const referenceMs = {
  getter: 5,
  setter: 20,
  login: 50,
  clone: 2_000,
  createDisk: 1_000,
  createDevice: 100,
  importPerMiB: 250,
  start: 4_000,
  boot: 20_000,
  shutdown: 5_000,
  destroy: 1_000,
  migrate: 20_000,
  /** From the answer to host.reboot or host.shutdown to the moment when the host really goes down. */
  hostShutdownDelay: 10_000,
  /** From there until its toolstack answers again. */
  hostReboot: 240_000,
  /** From the open port until the host may be enabled. */
  hostStartup: 20_000,
  /** From the answer to host.restart_agent until the toolstack stops. */
  agentStopDelay: 1_000,
  agentRestart: 10_000,
  /** From the answer to pool.emergency_transition_to_master until the daemon exits, to be started again in its new role. */
  roleChangeDelay: 11_000,
  /** How long the pool hears nothing of a host before it calls it dead, without high availability and with it. */
  heartbeatLost: 600_000,
  haHeartbeatLost: 60_000,
  patchHost: 60_000,
  syncUpdates: 30_000,
} as const;

export type Work = keyof typeof referenceMs;
export const workNames = Object.keys(referenceMs) as [Work, ...Work[]];

/** How long things take in this lab, and how fast its time passes. The speed can be changed at any moment, also for what is under way. */
export class Latency {
  private readonly profile: LatencyProfile;
  private factor: number;
  private changed = new AbortController();
  /** What single kinds of work take instead. */
  private readonly ownMs: Partial<Record<Work, number | undefined>>;

  constructor(profile: LatencyProfile, speed: number, ownMs: Partial<Record<Work, number | undefined>> = {}) {
    this.profile = profile;
    this.ownMs = ownMs;
    this.factor = speed;
  }

  get speed(): number {
    return this.factor;
  }

  /** Throws a RangeError unless the speed is a number above 0. */
  setSpeed(speed: number): void {
    if (!(speed > 0) || !Number.isFinite(speed)) throw new RangeError(`the speed is ${speed}; it has to be above 0`);
    this.factor = speed;
    this.changed.abort();
    this.changed = new AbortController();
  }

  milliseconds(work: Work): number {
    return this.lengthMs(work) / this.factor;
  }

  /** The real length of a time-out or an interval, which a lab that takes no time does not shorten. */
  timeoutMs(referenceLengthMs: number): number {
    return this.profile === 'zero' ? referenceLengthMs : referenceLengthMs / this.factor;
  }

  /** Rejects with an AbortError as soon as the signal aborts. */
  async spend(work: Work, signal: AbortSignal, share = 1): Promise<void> {
    await this.pass(this.lengthMs(work) * share, signal, true);
  }

  /** Waits for the length of a time-out; a process that has nothing else to do may end meanwhile. */
  async spendTimeout(referenceLengthMs: number, signal: AbortSignal): Promise<void> {
    if (this.profile === 'reference') await this.pass(referenceLengthMs, signal, false);
    // However fast the time passes, other things get their turn.
    await sleep(this.profile === 'zero' ? referenceLengthMs : 1, undefined, { signal, ref: false });
  }

  /** Before division by the speed. */
  private lengthMs(work: Work): number {
    return this.ownMs[work] ?? (this.profile === 'zero' ? 0 : referenceMs[work]);
  }

  private async pass(lengthMs: number, signal: AbortSignal, ref: boolean): Promise<void> {
    for (let leftMs = lengthMs; leftMs / this.factor >= 1;) {
      const [begunMs, factor] = [performance.now(), this.factor];
      const woken = AbortSignal.any([signal, this.changed.signal]);
      await sleep(leftMs / factor, undefined, { signal: woken, ref }).catch((error: unknown) => {
        if (signal.aborted) throw error;
      });
      if (factor === this.factor) return;
      leftMs -= (performance.now() - begunMs) * factor;
    }
  }
}
