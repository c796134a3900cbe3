import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { createActivities } from '../../../activities/index.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** A fault put into the kit on purpose. */
export interface Mutant {
  readonly name: string;
  readonly changes: readonly { readonly file: string; readonly from: string; readonly to: string }[];
  /** Titles of the step cases that have to notice. */
  readonly caughtBy: readonly string[];
}

export interface BuiltMutant {
  readonly workflowsPath: string;
  readonly create: typeof createActivities;
  remove(this: void): void;
}

/**
 * Copies runbooks and steps and changes the copy. What they rest on is linked, not copied: a class that both sides know
 * has to be one class.
 */
export async function buildMutant({ name, changes }: Mutant): Promise<BuiltMutant> {
  const folder = join(ROOT, '.switchboard', 'mutants', name);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  remove();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const part of ['workflows', 'activities']) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  for (const part of ['domain', 'adapters']) symlinkSync(join(ROOT, part), join(folder, part));
  for (const { file, from, to } of changes) {
    const path = join(folder, file);
    const source = readFileSync(path, 'utf8');
    if (source.split(from).length !== 2) throw new Error(`mutant ${name}: ${file} has not exactly one "${from}"`);
    writeFileSync(path, source.replace(from, to));
  }
  const built = (await import(join(folder, 'activities', 'index.ts'))) as { createActivities: typeof createActivities };
  return { workflowsPath: join(folder, 'workflows', 'index.ts'), create: built.createActivities, remove };
}
