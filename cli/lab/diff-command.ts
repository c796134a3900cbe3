import { Command } from 'commander';
import type { Session } from '../session.ts';
import { table } from '../table.ts';
import type { ControlOf, LabControl, WorldChange } from './lab-control.ts';
import { SNAPSHOT_AT_START } from './up-and-down.ts';

const EXAMPLES = `
Examples:
  switchboard lab diff --mark before-patching
  switchboard lab diff --since before-patching

Without --since it compares with the moment at which the lab came up.`;

interface DiffOptions {
  readonly since: string;
  readonly mark?: string;
  readonly json?: boolean;
}

export function diffCommand({ io }: Session, control: ControlOf): Command {
  return new Command('diff')
    .description('What is different in the world, over every class of object')
    .option('--since <name>', 'the mark to compare with', SNAPSHOT_AT_START)
    .option('--mark <name>', 'compare nothing: remember the world of now under this name')
    .option('--json', 'data as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async ({ since, mark, json }: DiffOptions) => {
      if (mark !== undefined) return remember(control(), mark, io.err);
      const changes = await control().diff(since);
      io.out(json === true ? `${JSON.stringify(changes)}\n` : changeLines(changes));
      if (changes.length === 0) io.err(`Nothing is different since ${since}.\n`);
    });
}

async function remember(control: LabControl, mark: string, say: (text: string) => void): Promise<void> {
  await control.snapshot(mark);
  say(`The world of now is marked ${mark}.\nNext: switchboard lab diff --since ${mark}\n`);
}

function changeLines(changes: readonly WorldChange[]): string {
  if (changes.length === 0) return '';
  const rows = changes.map(({ pool, cls, change, name, uuid, fields }) => [
    pool,
    change,
    cls,
    name,
    uuid,
    fieldText(fields),
  ]);
  return table(['POOL', 'CHANGE', 'CLASS', 'NAME', 'UUID', 'FIELDS'], rows);
}

/** Short values with both sides, long ones by their name alone: `--json` has them whole. */
function fieldText(fields: WorldChange['fields'] = {}): string {
  const parts = Object.entries(fields).map(([name, { before, after }]) => {
    const text = `${name}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`;
    return text.length > 70 ? name : text;
  });
  return parts.join('; ');
}
