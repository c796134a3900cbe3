/** What both sides are asked for. */
export interface Workload {
  readonly deployments: number;
  readonly concurrency: number;
}

/** Compiled code, pool session, caches: the first deployments of a process are no measure of it. */
export const WARM_UP = 5;

export const POOL = 'ams1';
export const GUEST_SSH_PORT = 2222;

/** Small, so that hundreds of them fit the lab's three hosts of 32 GiB. */
export const VM = { template: 'debian-12', network: 'tenant', vcpus: 1, memoryMiB: 128, diskGiB: 1 } as const;

export function namesOf(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`);
}

/** The lab's time: none at all, or the reference latencies divided by ten. */
export type Profile = 'zero' | 'reference';

export function labEnvironment(profile: Profile): NodeJS.ProcessEnv {
  return { SWITCHBOARD_LAB_LATENCY: profile, SWITCHBOARD_LAB_SPEED: '10' };
}
