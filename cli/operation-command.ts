import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import type { Operation } from '../domain/operations.ts';
import type { ApiClient } from './api-client.ts';
import { confirm } from './confirm.ts';
import { addInputFlags, exampleFlags } from './input-flags.ts';
import { CliFailure, EXIT } from './io.ts';
import type { Session } from './session.ts';
import { watchRuns } from './watch.ts';

interface StartOptions {
  readonly key?: string;
  readonly watch?: boolean;
  readonly json?: boolean;
  readonly yes?: boolean;
}

/** The verb of an operation of the catalogue: starts a run of it. */
export function operationCommand(row: Operation, session: Session): Command {
  const { api, io } = session;
  const command = new Command(row.name).description(row.title);
  const inputFrom = addInputFlags(command, row, io);
  command
    .option('--file <path>', 'input as YAML or JSON, - for stdin; flags win over it')
    .option('--key <key>', 'Idempotency-Key: repeat a request with its key to attach to its run')
    .option('--watch', 'follow the run and exit by its outcome')
    .option('--json', 'data as JSON');
  const isDestructive = row.permission === 'run-destructive';
  if (isDestructive) command.option('--yes', 'do not ask whether it is meant');
  command.addHelpText('after', examplesOf(row));
  return command.action(async (options: StartOptions & Record<string, unknown>) => {
    const input = inputFrom(options);
    if (isDestructive && options.yes !== true) await confirm(row, input, session);
    const run = await startTellingKey(api, row.name, input, options.key ?? randomUUID());
    const json = options.json === true;
    if (options.watch === true) return session.setCode(await watchRuns(api, io, [run.id], json));
    io.out(json ? `${JSON.stringify(run)}\n` : `${run.id}\n`);
    io.err(`${run.summary}: ${run.state}\nNext: switchboard watch ${run.id}\n`);
  });
}

/** With the examples of the required fields, as the catalogue has them. */
function examplesOf(row: Operation): string {
  const yes = row.permission === 'run-destructive' ? ' --yes' : '';
  return `
Examples:
  switchboard ${row.name} ${exampleFlags(row)} --watch
  switchboard ${row.name} --file input.yaml${yes} --json`;
}

/** Whether an unanswered request was accepted is unknown; only with its key can it be repeated without harm. */
async function startTellingKey(api: ApiClient, operation: string, input: unknown, key: string) {
  try {
    return await api.start(operation, input, key);
  } catch (error) {
    if (!(error instanceof CliFailure) || (error.exitCode !== EXIT.unreachable && error.exitCode !== EXIT.interrupted))
      throw error;
    throw new CliFailure(`${error.message}\nRepeat it with: --key ${key}`, error.exitCode, error.problem);
  }
}
