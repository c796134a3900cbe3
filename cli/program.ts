import { Command, CommanderError } from 'commander';
import { OPERATIONS } from '../domain/operations.ts';
import { ApiClient } from './api-client.ts';
import type { Io } from './io.ts';
import { CliFailure, EXIT } from './io.ts';
import { operationCommand } from './operation-command.ts';
import { runCommands } from './run-commands.ts';

const EXIT_CODES = `
Exit codes: 0 done, 1 failed, 2 usage, 3 refused, 4 no permission, 5 conflict or locked, 6 paused or needs an operator,
7 cancelled, 8 done with skips, 75 server unreachable, 130 interrupted (the run goes on).
Environment: SWITCHBOARD_URL, SWITCHBOARD_TOKEN or SWITCHBOARD_TOKEN_FILE, NO_COLOR.`;

/** Runs one command line; answers its exit code. */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
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

function buildProgram(io: Io, setCode: (code: number) => void): Command {
  const api = new ApiClient(io);
  const program = new Command('switchboard')
    .description('Operations of a XenServer or XCP-ng cloud: started, watched, answered.')
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .showHelpAfterError('(--help tells more)');
  const commands = [
    ...OPERATIONS.map((row) => operationCommand(row, api, io, setCode)),
    ...runCommands(api, io, setCode),
  ];
  for (const command of commands) program.addCommand(command.copyInheritedSettings(program));
  return program;
}
