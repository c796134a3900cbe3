import { Command, InvalidArgumentError, Option } from 'commander';
import { OPERATIONS } from '../domain/operations.ts';
import type { ListQuery, Run } from './api-client.ts';
import { followAll } from './follow.ts';
import { painter, runLines, runTable } from './render.ts';
import type { Session } from './session.ts';
import { watchRuns } from './watch.ts';

interface Json {
  readonly json?: boolean;
}

interface AnswerOptions extends Json {
  /** Of a skip, which asks for it. */
  readonly reason?: string;
}

type ListOptions = Json & ListQuery & { readonly follow?: boolean };

const LIST_EXAMPLES = `
Examples:
  switchboard runs --state needs-operator,paused
  switchboard runs --resource pool/ams1/ --since 2026-11-22T00:00:00Z --order oldest
  switchboard runs --follow`;

/** The verbs that concern runs of any operation. */
export function runCommands(session: Session): Command[] {
  const { api } = session;
  const skip = new Command('skip').requiredOption('--reason <text>', 'why; it stays with the run');
  return [
    listCommand(session),
    showCommand(session),
    watchCommand(session),
    answer(session, new Command('cancel'), 'Stop a run: what it did is undone', (id) => api.cancel(id)),
    answer(session, new Command('retry'), 'Have a run that needs an operator try its step again', (id) =>
      api.retry(id),
    ),
    answer(session, skip, 'Have a run that needs an operator leave its step out', (id, { reason }) =>
      api.skip(id, reason ?? ''),
    ).addHelpText('after', '\nExample:\n  switchboard skip ID --reason "the disk was removed by hand"'),
  ];
}

function listCommand(session: Session): Command {
  return new Command('runs')
    .description('List runs, newest first, or follow all of them')
    .option('--state <states>', 'only in these states, separated by commas')
    .addOption(new Option('--operation <name>', 'only of this operation').choices(OPERATIONS.map(({ name }) => name)))
    .option('--requested-by <name>', 'only asked for with the token of this name')
    .option('--resource <start>', 'only on objects whose name begins like this')
    .option('--since <time>', 'only accepted at this time or later (ISO 8601)')
    .option('--until <time>', 'only accepted before this time (ISO 8601)')
    .addOption(new Option('--order <order>', 'which runs come first').choices(['newest', 'oldest']))
    .option('--limit <number>', 'at most so many', numberFrom)
    .option('--cursor <id>', 'go on after this run')
    .addOption(
      new Option('--follow', 'tell what happens in all runs, from now on').conflicts([
        'state',
        'operation',
        'requestedBy',
        'resource',
        'since',
        'until',
        'order',
        'limit',
        'cursor',
      ]),
    )
    .option('--json', 'data as JSON')
    .addHelpText('after', LIST_EXAMPLES)
    .action(async ({ json, follow, ...filter }: ListOptions) => {
      if (follow === true) session.setCode(await followAll(session, json === true));
      else await list(session, filter, json === true);
    });
}

async function list({ api, io }: Session, filter: ListQuery, json: boolean): Promise<void> {
  const page = await api.list(filter);
  io.out(json ? `${JSON.stringify(page)}\n` : runTable(page.runs));
  if (page.nextCursor !== undefined) io.err(`More: switchboard runs --cursor ${page.nextCursor}\n`);
}

function showCommand({ api, io }: Session): Command {
  return withJson(new Command('show').argument('<id>', 'id of the run'))
    .description('Show a run with its steps and what it owes')
    .addHelpText('after', '\nExample:\n  switchboard show ID --json')
    .action(async (id: string, { json }: Json) => {
      const run = await api.show(id);
      const text = json === true ? JSON.stringify(run) : runLines(run, painter(io.color), Date.now()).join('\n');
      io.out(`${text}\n`);
    });
}

function watchCommand({ api, io, setCode }: Session): Command {
  return new Command('watch')
    .description('Follow runs and exit by their outcome; Ctrl-C detaches, the runs go on')
    .addHelpText('after', '\nExamples:\n  switchboard watch ID\n  switchboard watch ID ID --json')
    .argument('<id...>', 'ids of the runs')
    .option('--json', 'each event as one line of JSON')
    .action(async (ids: string[], { json }: Json) => {
      setCode(await watchRuns(api, io, [...new Set(ids)], json === true));
    });
}

/** What a person answers to a run; the server says what it will do about it, or why it cannot. */
function answer(
  { io }: Session,
  command: Command,
  description: string,
  send: (id: string, options: AnswerOptions) => Promise<{ run: Run; will: string }>,
): Command {
  return withJson(command.argument('<id>', 'id of the run'))
    .description(description)
    .action(async (id: string, options: AnswerOptions) => {
      const told = await send(id, options);
      io.out(options.json === true ? `${JSON.stringify(told)}\n` : `${told.will}\n`);
      io.err(`Next: switchboard watch ${told.run.id}\n`);
    });
}

function withJson(command: Command): Command {
  return command.option('--json', 'data as JSON');
}

function numberFrom(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || Number.isNaN(number)) throw new InvalidArgumentError('Not a number.');
  return number;
}
