import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';

type History = ReturnType<typeof historyFromJSON>;

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
