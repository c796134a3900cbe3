import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { parse } from 'yaml';
import type { Io } from '../io.ts';
import { CliFailure, EXIT } from '../io.ts';
import { table } from '../table.ts';
import { wordsOf } from '../words.ts';
import type { ControlOf, PlannedFault } from './lab-control.ts';

const ADD_EXAMPLES = `
Examples:
  switchboard lab fault add --kind refused --method VM.start --object web-01 --error HOST_OFFLINE OpaqueRef:1
  switchboard lab fault add --kind reply-lost --method VM.clone --nth 2
  switchboard lab fault add --kind cut --at mid --probability 0.01 --seed 7
  switchboard lab fault add --file faults.yaml

A file holds one fault or a list of them, with the fields named as in docs/lab.md.`;

/** Planned, told, forgotten. */
export function faultCommand(io: Io, control: ControlOf): Command {
  return new Command('fault')
    .description('Faults of the lab: list, add, clear')
    .addCommand(list(io, control))
    .addCommand(add(io, control))
    .addCommand(clear(io, control));
}

function list(io: Io, control: ControlOf): Command {
  return new Command('list')
    .description('List the planned faults and how often each has happened')
    .option('--json', 'data as JSON')
    .action(async ({ json }: { readonly json?: boolean }) => {
      const found = await control().faults();
      io.out(json === true ? `${JSON.stringify(found)}\n` : faultLines(found));
      if (found.length === 0) io.err('No fault is planned.\nNext: switchboard lab fault add --help\n');
    });
}

function faultLines(faults: readonly PlannedFault[]): string {
  if (faults.length === 0) return '';
  const rows = faults.map(({ id, fired, fault: { kind, method, ...rest } }) => {
    const others = Object.entries(rest).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    return [id, String(kind), typeof method === 'string' ? method : 'every call', String(fired), others.join(' ')];
  });
  return table(['FAULT', 'KIND', 'METHOD', 'HAPPENED', 'DETAILS'], rows);
}

const number = (text: string): number => {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value))
    throw new CliFailure(`"${text}" is no number; nothing was planned.`, EXIT.usage);
  return value;
};

interface AddOptions extends Readonly<Record<string, unknown>> {
  readonly file?: string;
  readonly json?: boolean;
}

function add(io: Io, control: ControlOf): Command {
  return new Command('add')
    .description('Plan a fault; the lab says what it does not understand')
    .option('--kind <kind>', 'what goes wrong, such as refused, reply-lost, cut, sr-full; a wrong one lists them all')
    .option('--method <name>', 'the message or transfer it happens to')
    .option('--object <name>', 'name, uuid or reference of an object of the call')
    .option('--pool <id>', 'only in this pool')
    .option('--host <name>', 'only on this host')
    .option('--nth <n>', 'the first occasion on which it happens', number)
    .option('--times <n>', 'on how many occasions, or always', (text) => (text === 'always' ? text : number(text)))
    .option('--probability <p>', 'how likely it is on each occasion, up to 1', number)
    .option('--seed <n>', 'the same seed draws the same occasions', number)
    .option('--error <words...>', 'for refused: the code and its parameters')
    .option('--delay-ms <ms>', 'for slow and late ones', number)
    .option('--at <place>', 'for cut: before, mid or after')
    .option('--address <address>', 'for host-is-slave: where the coordinator is said to be')
    .option('--victim <host>', 'for host-dead and toolstack-down: which host, by name, uuid or address')
    .option('--for-ms <ms>', 'for host-dead and toolstack-down: until it runs again', number)
    .option('--after-ms <ms>', 'for ssh-drops', number)
    .option('--after-bytes <bytes>', 'for ssh-drops', number)
    .option('--file <path>', 'faults as YAML or JSON, - for stdin, instead of the flags')
    .option('--json', 'data as JSON')
    .addHelpText('after', ADD_EXAMPLES)
    .action(async ({ file, json, ...flags }: AddOptions) => {
      if (file !== undefined && Object.keys(flags).length > 0)
        throw new CliFailure('Give the fault by --file or by flags, not by both; nothing was planned.', EXIT.usage);
      const faults: unknown[] = file === undefined ? [flags] : faultsIn(io, file);
      const planned: PlannedFault[] = [];
      for (const fault of faults) planned.push(await control().plan(fault));
      io.out(json === true ? `${JSON.stringify(planned)}\n` : planned.map(({ id }) => `${id}\n`).join(''));
      io.err('Next: switchboard lab fault list\n');
    });
}

function faultsIn(io: Io, file: string): unknown[] {
  try {
    const content: unknown = parse(file === '-' ? io.readStdin() : readFileSync(resolve(io.folder, file), 'utf8'));
    return Array.isArray(content) ? content : [content];
  } catch (error) {
    throw new CliFailure(`The faults in ${file} cannot be read; nothing was planned.\n${wordsOf(error)}`, EXIT.usage);
  }
}

function clear(io: Io, control: ControlOf): Command {
  return new Command('clear')
    .description('Forget faults: those named, or all; calls that a barrier holds go on when all are forgotten')
    .argument('[fault...]', 'as `fault list` names them')
    .action(async (ids: readonly string[]) => {
      for (const id of ids) await control().forget(id);
      if (ids.length === 0) await control().forgetAll();
      io.err(ids.length === 0 ? 'All faults are forgotten.\n' : `Forgotten: ${ids.join(', ')}.\n`);
    });
}
