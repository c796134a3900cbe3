import { Argument, Command } from 'commander';
import type { Option } from 'commander';
import type { ShellName } from './completion-scripts.ts';
import { COMPLETION_SCRIPTS } from './completion-scripts.ts';
import type { Io } from './io.ts';
import { RUN_STATES } from './outcome.ts';

/** One thing that could be typed here, and what it is. */
export interface Candidate {
  readonly word: string;
  readonly about: string;
}

/** What only the server or the profiles know. */
export interface CandidateSources {
  /** Recent runs that the command could be meant for. */
  runs(this: void, command: string): Promise<Candidate[]>;
  profiles(this: void): Candidate[];
}

/** Where in the command line the cursor is. */
interface Place {
  readonly command: Command;
  /** Arguments that stand before the cursor. */
  readonly position: number;
  /** The option whose value is being typed. */
  readonly option: Option | undefined;
}

const EXAMPLES = `
Examples:
  eval "$(switchboard completion bash)"       # in ~/.bashrc
  eval "$(switchboard completion zsh)"        # in ~/.zshrc, after compinit
  switchboard completion fish | source        # in ~/.config/fish/config.fish`;

export function completionCommand(io: Io): Command {
  return new Command('completion')
    .description('Print the completion script of a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(COMPLETION_SCRIPTS)))
    .addHelpText('after', EXAMPLES)
    .action((shell: ShellName) => io.out(COMPLETION_SCRIPTS[shell]));
}

/** The candidates for the last of the words, which may be empty or half typed. */
export async function complete(
  program: Command,
  words: readonly string[],
  sources: CandidateSources,
): Promise<Candidate[]> {
  const typed = words.at(-1) ?? '';
  const found = await candidatesAt(placeOf(program, words.slice(0, -1)), typed, sources);
  return found.filter(({ word }) => word.startsWith(typed));
}

function placeOf(program: Command, words: readonly string[]): Place {
  let place: Place = { command: program, position: 0, option: undefined };
  for (const word of words) place = after(place, word);
  return place;
}

function after({ command, position, option }: Place, word: string): Place {
  if (option !== undefined) return { command, position, option: undefined };
  if (word.startsWith('-')) {
    const named = optionsOf(command).find((one) => one.long === word || one.short === word);
    return { command, position, option: named?.required === true ? named : undefined };
  }
  const next = command.commands.find((one) => one.name() === word);
  if (next !== undefined) return { command: next, position: 0, option: undefined };
  return { command, position: position + 1, option: undefined };
}

async function candidatesAt({ command, position, option }: Place, typed: string, sources: CandidateSources) {
  if (option !== undefined) return valuesOf(option, sources);
  if (typed.startsWith('-')) return flagsOf(command);
  if (command.commands.length > 0) return commandsOf(command);
  const all = command.registeredArguments;
  const last = all.at(-1);
  const argument = all[position] ?? (last?.variadic === true ? last : undefined);
  if (argument?.name() === 'id') return sources.runs(command.name());
  if (argument?.name() === 'profile') return sources.profiles();
  return (argument?.argChoices ?? []).map((word) => ({ word, about: '' }));
}

function valuesOf(option: Option, sources: CandidateSources): Candidate[] {
  if (option.attributeName() === 'profile') return sources.profiles();
  const choices = option.attributeName() === 'state' ? RUN_STATES : (option.argChoices ?? []);
  return choices.map((word) => ({ word, about: '' }));
}

function flagsOf(command: Command): Candidate[] {
  const own = optionsOf(command).flatMap(({ long, description, hidden }) =>
    long === undefined || hidden ? [] : [{ word: long, about: description }],
  );
  return [...own, { word: '--help', about: 'display help for command' }];
}

/** Its own ones and those of the whole program. */
function optionsOf(command: Command): Option[] {
  return [...command.options, ...(command.parent === null ? [] : optionsOf(command.parent))];
}

function commandsOf(command: Command): Candidate[] {
  return command.commands.map((one) => ({ word: one.name(), about: one.description() }));
}
