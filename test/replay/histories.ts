import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import proto from '@temporalio/proto';

export type History = ReturnType<typeof historyFromJSON>;

export const HISTORIES = fileURLToPath(new URL('histories', import.meta.url));
export const MANIFEST = join(HISTORIES, 'MANIFEST.sha256');

export interface Recorded {
  readonly name: string;
  readonly sha256: string;
  readonly history: History;
}

export function recordedHistories(): Recorded[] {
  const files = readdirSync(HISTORIES).filter((file) => file.endsWith('.json'));
  return files.map((file) => {
    const text = readFileSync(join(HISTORIES, file), 'utf8');
    return { name: file.replace(/\.json$/, ''), sha256: sha256Of(text), history: historyFromJSON(JSON.parse(text)) };
  });
}

export function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Lines as sha256sum writes them: `<sha256>  <name>.json`. */
export function manifest(): Map<string, string> {
  const lines = readFileSync(MANIFEST, 'utf8').trim().split('\n');
  return new Map(lines.map((line) => [line.slice(66).replace(/\.json$/, ''), line.slice(0, 64)]));
}

const { EventType } = proto.temporal.api.enums.v1;

/** How many events of each type, named as in Temporal without the prefix EVENT_TYPE_. */
export function countsByType(history: History): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { eventType } of history.events ?? []) {
    const type = (EventType[eventType ?? 0] ?? '').replace('EVENT_TYPE_', '');
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return counts;
}

/** In one line: whether the workflow has closed and how, the steps it asked for, operators' answers, repeated steps. */
export function storyOf(history: History): string {
  const counts = countsByType(history);
  const end = ['COMPLETED', 'FAILED', 'CANCELED'].find((one) => counts.has(`WORKFLOW_EXECUTION_${one}`)) ?? 'open';
  const answers = counts.get('WORKFLOW_EXECUTION_UPDATE_COMPLETED') ?? 0;
  const attempts = (history.events ?? []).map((event) => event.activityTaskStartedEventAttributes?.attempt ?? 1);
  const repeated = attempts.filter((attempt) => attempt > 1).length;
  return `${end} after ${counts.get('ACTIVITY_TASK_SCHEDULED') ?? 0} steps, ${answers} answers, ${repeated} repeated`;
}
