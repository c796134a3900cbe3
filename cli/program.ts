import { Command, CommanderError } from 'commander';
import { OPERATIONS } from '../domain/operations.ts';
import { ApiClient } from './api-client.ts';
import { complete, completionCommand } from './completion.ts';
import type { Candidate } from './completion.ts';
import type { Io } from './io.ts';
import { CliFailure, EXIT } from './io.ts';
import { labCommand } from './lab/lab-command.ts';
import { operationCommand } from './operation-command.ts';
import { profileCommand } from './profile-commands.ts';
import { ProfileStore } from './profiles.ts';
import { runCommands } from './run-commands.ts';
import { serverFor } from './server.ts';
import type { Session } from './session.ts';

const MORE = `
Examples:
  switchboard deploy-vm --pool ams1 --name web-01 --template debian-12 --networks tenant --watch
  switchboard runs --state needs-operator
  switchboard help deploy-vm

Exit codes: 0 done, 1 failed, 2 usage, 3 refused, 4 no permission, 5 conflict or locked, 6 paused or needs an operator,
7 cancelled, 8 done with skips, 75 server unreachable, 130 interrupted (the run goes on).
Environment: SWITCHBOARD_URL, SWITCHBOARD_TOKEN or SWITCHBOARD_TOKEN_FILE, SWITCHBOARD_PROFILE, XDG_CONFIG_HOME,
XDG_STATE_HOME, NO_COLOR, FORCE_COLOR.`;

/** Asked by the completion scripts, at every Tab; not for people. */
const COMPLETE = '__complete';
/** Nobody waits longer than this for a Tab. */
const TAB_PATIENCE_MS = 1_500;

/** Runs one command line; answers its exit code. */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  if (args[0] === COMPLETE) return printCandidates(args.slice(1), io);
  const result = { code: EXIT.done as number };
  const program = buildProgram(io, (code) => (result.code = code));
  try {
    await program.parseAsync(args, { from: 'user' });
    return result.code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (!(error instanceof CliFailure)) throw error;
    if (error.problem !== undefined && args.includes('--json')) io.out(`${JSON.stringify(error.problem)}\n`);
    else io.err(`${error.message}\n`);
    return error.exitCode;
  }
}

/** The whole command line as an object: also what completion and the page of the manual are made from. */
export function buildProgram(io: Io, setCode: (code: number) => void): Command {
  const program = new Command('switchboard')
    .description('Operations of a XenServer or XCP-ng cloud: started, watched, answered.')
    .version(io.version, '--version', 'print the version')
    .option('--profile <name>', 'the server to work with, instead of the current one')
    .option('--no-input', 'never ask: fail where a person would be asked')
    .addHelpText('after', MORE)
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err });
  const given = () => program.opts<{ profile?: string; input: boolean }>();
  const session: Session = {
    io,
    api: new ApiClient(io, () => serverFor(io, given().profile)),
    setCode,
    ask: () => (given().input ? io.ask : undefined),
  };
  addGroup(
    program,
    'Operations:',
    OPERATIONS.map((row) => operationCommand(row, session)),
  );
  addGroup(program, 'Runs:', runCommands(session));
  addGroup(program, 'Rehearsal:', [labCommand(session)]);
  addGroup(program, 'This program:', [profileCommand(io), completionCommand(io)]);
  inherit(program);
  return program;
}

function addGroup(program: Command, heading: string, commands: readonly Command[]): void {
  for (const command of commands) program.addCommand(command.helpGroup(heading));
}

/** Commands that were made by themselves learn from the one above them where to write and how to end. */
function inherit(parent: Command): void {
  parent.showHelpAfterError(`Next: ${pathOf(parent)} --help`);
  for (const command of parent.commands) inherit(command.copyInheritedSettings(parent));
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** One candidate per line, its description after a tab. A completion that fails is none: the shell is not the place to tell. */
async function printCandidates(words: readonly string[], io: Io): Promise<number> {
  const patience = AbortSignal.any([io.interrupted, AbortSignal.timeout(TAB_PATIENCE_MS)]);
  const program = buildProgram(io, () => undefined);
  const profile = words[words.indexOf('--profile') + 1];
  const server = () => serverFor(io, words.includes('--profile') ? profile : undefined);
  const api = new ApiClient({ interrupted: patience }, server);
  const found = await complete(program, words, {
    runs: (command) => recentRuns(api, command),
    profiles: () => profilesIn(new ProfileStore(io.settings.configFile)),
  }).catch((error: unknown) => {
    if (error instanceof CliFailure) return [];
    throw error;
  });
  for (const { word, about } of found) io.out(`${word}\t${about}\n`);
  return EXIT.done;
}

/** The runs that the command makes sense for. */
async function recentRuns(api: ApiClient, command: string): Promise<Candidate[]> {
  const waiting = command === 'retry' || command === 'skip';
  const { runs } = await api.list({ limit: 20, ...(waiting ? { state: 'needs-operator' } : {}) });
  return runs.map(({ id, state, summary }) => ({ word: id, about: `${state}: ${summary}` }));
}

function profilesIn(store: ProfileStore): Candidate[] {
  return Object.entries(store.read().profiles).map(([word, { url }]) => ({ word, about: url }));
}
