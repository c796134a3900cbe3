import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import type { GuestSpec, RunningGuest } from '../../../lab/guests/guest.ts';
import { isoDrive, type Files } from './drives.ts';

export function specOf(drive: Buffer | undefined, changes: Partial<GuestSpec> = {}): GuestSpec {
  return {
    vmUuid: randomUUID(),
    name: 'web-1',
    drive,
    vifs: [{ mac: '00:16:3e:00:00:01' }],
    bootDelayMs: 0,
    sshPort: 0,
    ...changes,
  };
}

/** A config drive with this #cloud-config; `others` adds files or replaces them. */
export function driveWith(cloudConfig: object, others: Files = {}): Buffer {
  const metaData = stringify({ 'instance-id': 'vm-1', 'local-hostname': 'web-1' });
  const files = { 'meta-data': metaData, 'user-data': `#cloud-config\n${stringify(cloudConfig)}`, ...others };
  return isoDrive(files, ['-rock']);
}

/** Resolves when a line on the console matches. */
export async function consoleLine(guest: RunningGuest, pattern: RegExp): Promise<string> {
  for (;;) {
    const line = guest.consoleLog.find((candidate) => pattern.test(candidate));
    if (line !== undefined) return line;
    await sleep(5);
  }
}

/** Stops the guest, and tells whether it had answered before. */
export async function answeredUntilStopped(guest: RunningGuest): Promise<boolean> {
  await guest.stop();
  return Promise.race([guest.booted.then(() => true), Promise.resolve(false)]);
}
