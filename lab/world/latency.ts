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
  hostReboot: 240_000,
  patchHost: 60_000,
  syncUpdates: 30_000,
} as const;

export type Work = keyof typeof referenceMs;

/** How long things take in this lab. */
export class Latency {
  private readonly profile: LatencyProfile;
  /** May change at any time: work that begins from then on takes the new times. */
  speed: number;

  constructor(profile: LatencyProfile, speed: number) {
    this.profile = profile;
    this.speed = speed;
  }

  milliseconds(work: Work): number {
    return this.profile === 'zero' ? 0 : referenceMs[work] / this.speed;
  }

  /** Rejects with an AbortError as soon as the signal aborts. */
  async spend(work: Work, signal: AbortSignal, share = 1): Promise<void> {
    const ms = this.milliseconds(work) * share;
    if (ms >= 1) await sleep(ms, undefined, { signal });
  }
}
