import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import type { Operation } from '../domain/operations.ts';
import type { ApiClient } from './api-client.ts';
import { addInputFlags } from './input-flags.ts';
import type { Io } from './io.ts';
import { CliFailure, EXIT } from './io.ts';
import { watchRun } from './watch.ts';

interface StartOptions {
  readonly key?: string;
  readonly watch?: boolean;
  readonly json?: boolean;
}

/** The verb of an operation of the catalogue: starts a run of it. */
export function operationCommand(row: Operation, api: ApiClient, io: Io, setCode: (code: number) => void): Command {
  const command = new Command(row.name).description(row.title);
  const inputFrom = addInputFlags(command, row);
  return command
    .option('--file <path>', 'input as YAML or JSON; flags win over it')
    .option('--key <key>', 'Idempotency-Key: repeat a request with its key to attach to its run')
    .option('--watch', 'follow the run and exit by its outcome')
    .option('--json', 'data as JSON')
    .action(async (options: StartOptions & Record<string, unknown>) => {
      const key = options.key ?? randomUUID();
      const run = await startTellingKey(api, row.name, inputFrom(options), key);
      const json = options.json === true;
      if (options.watch === true) {
        setCode(await watchRun(api, io, run.id, json));
        return;
      }
      io.out(json ? `${JSON.stringify(run)}\n` : `${run.id}\n`);
      io.err(`${run.summary}: ${run.state}\nNext: switchboard watch ${run.id}\n`);
    });
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
