import { setTimeout as sleep } from 'node:timers/promises';
import { RawClient, Refusal } from '../raw-client.ts';
import type { Lab } from '../../../lab/lab.ts';

export interface HostRecord {
  readonly enabled: boolean;
  readonly address: string;
  readonly metrics: string;
  readonly resident_VMs: readonly string[];
  readonly other_config: { readonly boot_time: string; readonly agent_start_time: string };
  readonly allowed_operations: readonly string[];
  readonly current_operations: Readonly<Record<string, string>>;
}

/** Asks again until the answer is the one that is waited for. */
export async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    await sleep(5);
  }
}

/** Whether a fetch failed on its connection. */
function isCut(error: unknown): boolean {
  const { name, cause } = error as { name?: string; cause?: { code?: string } };
  return name === 'TypeError' && cause?.code !== undefined;
}

/** Whether something listens on the host's port. */
export async function answers(lab: Lab, address: string): Promise<boolean> {
  try {
    await fetch(`http://${address}:${lab.pools[0]?.port}/`).then((response) => response.text());
    return true;
  } catch (error) {
    if (isCut(error)) return false;
    throw error;
  }
}

/** Logs in as soon as the pool's coordinator takes a login. */
export async function loginAgain(lab: Lab): Promise<RawClient> {
  for (;;) {
    try {
      return await RawClient.login(lab);
    } catch (error) {
      if (!isCut(error) && !(error instanceof Refusal)) throw error;
      await sleep(5);
    }
  }
}

export const hostRecord = (client: RawClient, host: string): Promise<HostRecord> =>
  client.call<HostRecord>('host.get_record', host);

export async function isLive(client: RawClient, host: string): Promise<boolean> {
  return client.call<boolean>('host_metrics.get_live', await client.call('host.get_metrics', host));
}

/** Until the host is back in the pool and enabled. */
export const untilBack = (client: RawClient, host: string, before: HostRecord): Promise<HostRecord> =>
  until(
    () => hostRecord(client, host),
    ({ enabled, other_config: config }) => enabled && config.agent_start_time !== before.other_config.agent_start_time,
  );
