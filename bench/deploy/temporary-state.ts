import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removePostgresHome } from '../../bin/stack/postgres-home.ts';

/** Gives the work a state folder of its own, which is removed at its end whatever comes of it. */
export async function withStateFolder<T>(work: (stateDir: string) => Promise<T>): Promise<T> {
  const stateDir = mkdtempSync(join(tmpdir(), 'switchboard-bench-'));
  try {
    return await work(stateDir);
  } finally {
    removePostgresHome(stateDir);
    rmSync(stateDir, { recursive: true, force: true });
  }
}
