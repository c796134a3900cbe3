import { Command } from 'commander';
import type { ApiClient } from './api-client.ts';
import type { Io } from './io.ts';
import { painter, runLines, runTable } from './render.ts';
import { watchRun } from './watch.ts';

interface Json {
  readonly json?: boolean;
}

interface ListOptions extends Json {
  readonly state?: string;
  readonly operation?: string;
  readonly limit?: string;
  readonly cursor?: string;
}

/** The verbs that concern runs of any operation. */
export function runCommands(api: ApiClient, io: Io, setCode: (code: number) => void): Command[] {
  const watch = withId('watch', 'Follow a run and exit by its outcome').action(async (id: string, options: Json) => {
    setCode(await watchRun(api, io, id, options.json === true));
  });
  const answers = [
    answer(api, io, 'cancel', 'Stop a run: what it did is undone'),
    answer(api, io, 'retry', 'Have a run that needs an operator try its step again'),
    answer(api, io, 'skip', 'Have a run that needs an operator leave its step out').requiredOption(
      '--reason <text>',
      'why; it stays with the run',
    ),
  ];
  return [listCommand(api, io), showCommand(api, io), watch, ...answers];
}

function listCommand(api: ApiClient, io: Io): Command {
  return new Command('runs')
    .description('List runs, newest first')
    .option('--state <states>', 'only in these states, separated by commas')
    .option('--operation <name>', 'only of this operation')
    .option('--limit <number>', 'at most so many')
    .option('--cursor <id>', 'go on after this run')
    .option('--json', 'data as JSON')
    .action(async ({ json, ...filter }: ListOptions) => {
      const page = await api.list({ ...filter });
      io.out(json === true ? `${JSON.stringify(page)}\n` : `${runTable(page.runs).join('\n')}\n`);
      if (page.nextCursor !== undefined) io.err(`More: switchboard runs --cursor ${page.nextCursor}\n`);
    });
}

function showCommand(api: ApiClient, io: Io): Command {
  return withId('show', 'Show a run with its steps and what it owes').action(async (id: string, { json }: Json) => {
    const run = await api.show(id);
    const text = json === true ? JSON.stringify(run) : runLines(run, painter(io.color), Date.now()).join('\n');
    io.out(`${text}\n`);
  });
}

function answer(api: ApiClient, io: Io, verb: 'cancel' | 'retry' | 'skip', description: string): Command {
  return withId(verb, description).action(async (id: string, { json, reason }: Json & { readonly reason?: string }) => {
    const told = await api.act(id, verb, { reason });
    io.out(json === true ? `${JSON.stringify(told)}\n` : `${told.will}\n`);
    io.err(`Next: switchboard watch ${told.run.id}\n`);
  });
}

function withId(name: string, description: string): Command {
  return new Command(name).description(description).argument('<id>', 'id of the run').option('--json', 'data as JSON');
}
