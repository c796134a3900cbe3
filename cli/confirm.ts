import type { Operation } from '../domain/operations.ts';
import { CliFailure, EXIT } from './io.ts';
import { faultLine } from './problem-text.ts';
import type { Session } from './session.ts';

/**
 * Lets a destructive operation pass when its target was typed again at the terminal. Throws CliFailure when it was not,
 * or when nobody is there to be asked: what cannot be undone never starts by default.
 */
export async function confirm(row: Operation, input: unknown, { io, ask }: Session): Promise<void> {
  const checked = row.input.safeParse(input);
  if (!checked.success) {
    const faults = checked.error.issues.map(({ path, message }) =>
      faultLine({ pointer: ['', 'input', ...path.map(String)].join('/'), message }),
    );
    throw new CliFailure(
      `${row.title}: the input is not complete, nothing was started.\n${faults.join('\n')}`,
      EXIT.usage,
    );
  }
  const summary = row.summary(checked.data);
  const question = ask();
  if (question === undefined) {
    throw new CliFailure(
      `${summary}: this cannot be undone, and nobody is here to be asked; nothing was started.\n` +
        'Next: the same command with --yes',
      EXIT.usage,
    );
  }
  const name = nameOf(row.resource(checked.data));
  const typed = await question(`${summary}. This cannot be undone.\nType ${name} to go on: `);
  if (io.interrupted.aborted) throw new CliFailure('\nInterrupted; nothing was started.', EXIT.interrupted);
  if (typed.trim() !== name) throw new CliFailure(`That is not ${name}; nothing was started.`, EXIT.usage);
}

/** `pool/ams1/vm/web-01` → `web-01`, `pool/ams1` → `ams1` */
function nameOf(resource: string): string {
  return resource.replace(/^(?:[^/]+\/[^/]+\/)?[^/]+\//, '');
}
