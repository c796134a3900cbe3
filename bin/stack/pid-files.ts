import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { endGroup, identityOf, isRunning } from './process-identity.ts';
import { parseJson } from './state-lock.ts';

const recordSchema = z.object({
  part: z.string(),
  order: z.number().int(),
  pid: z.number().int(),
  startedAt: z.string(),
  command: z.string(),
  stopSignal: z.enum(['SIGINT', 'SIGTERM']),
});

/** What is known of a running part: enough to end it safely when its supervisor is gone. */
export type PidRecord = z.infer<typeof recordSchema>;

function pidFile(stateDir: string, part: string): string {
  return join(stateDir, 'pids', `${part}.json`);
}

export function recordPid(stateDir: string, record: Omit<PidRecord, 'startedAt'>): void {
  const identity = identityOf(record.pid);
  if (identity === undefined) return;
  writeFileSync(pidFile(stateDir, record.part), JSON.stringify({ ...record, ...identity }));
}

export function forgetPid(stateDir: string, part: string): void {
  rmSync(pidFile(stateDir, part), { force: true });
}

/**
 * Ends the parts that a killed supervisor left behind, the last started first. A process that merely has the pid of a
 * former part is left alone.
 * @param limitMs how long each may take to end by itself
 */
export async function reapLeftovers(stateDir: string, say: (line: string) => void, limitMs: number): Promise<void> {
  const records = readRecords(stateDir).sort((one, other) => other.order - one.order);
  for (const record of records) {
    if (isRunning(record)) {
      const killed = await endGroup(record.pid, record.stopSignal, limitMs);
      say(`Ended ${record.part} (pid ${record.pid}), left behind by an earlier run${killed ? ', with SIGKILL' : ''}.`);
    }
    forgetPid(stateDir, record.part);
  }
}

function readRecords(stateDir: string): PidRecord[] {
  const folder = join(stateDir, 'pids');
  return readdirSync(folder).flatMap((name) => {
    const record = recordSchema.safeParse(parseJson(readFileSync(join(folder, name), 'utf8')));
    return record.success ? [record.data] : [];
  });
}
