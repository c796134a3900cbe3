import { Command } from 'commander';
import type { Io } from '../io.ts';
import { CliFailure, EXIT } from '../io.ts';
import { table } from '../table.ts';
import type { ControlOf, LostProbe, ProbeRun } from './lab-control.ts';

const START_EXAMPLES = `
Examples:
  switchboard lab probe start --pool ams1 --protocol udp --per-second 1000 --network tenant \\
    --address 10.10.0.50/24 --gateway 10.10.0.1 --to-network public --to-address 192.0.2.50/24
  switchboard lab probe start --pool ams1 --protocol icmp --per-second 100 --seconds 60 --network tenant \\
    --address 10.10.0.51/24 --target 10.10.0.1

It runs until its seconds are over or until \`lab probe stop\`. docs/lab-networks.md says what it measures.`;

/** Measures what a network loses while somebody works on its routers. */
export function probeCommand(io: Io, control: ControlOf): Command {
  return new Command('probe')
    .description('Probes through the networks of a lab with namespace guests: what is lost, and the longest gap')
    .addCommand(start(io, control))
    .addCommand(list(io, control))
    .addCommand(report(io, control))
    .addCommand(stop(io, control))
    .addCommand(remove(io, control));
}

const number = (text: string): number => {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value))
    throw new CliFailure(`"${text}" is no number; nothing was started.`, EXIT.usage);
  return value;
};

interface StartOptions {
  readonly network: string;
  readonly address: string;
  readonly gateway?: string;
  readonly toNetwork?: string;
  readonly toAddress?: string;
  readonly toGateway?: string;
  readonly json?: boolean;
}

function start(io: Io, control: ControlOf): Command {
  return new Command('start')
    .description('Send probes from an address of a network; the lab says what it does not understand')
    .requiredOption('--pool <id>', 'whose networks are meant')
    .requiredOption('--protocol <name>', 'udp, icmp or tcp')
    .requiredOption('--per-second <n>', 'up to 1000', number)
    .option('--seconds <n>', 'how long; until it is stopped if left out', number)
    .requiredOption('--network <name>', 'where the probes come from, by name or uuid')
    .requiredOption('--address <cidr>', 'their address there, such as 10.10.0.50/24')
    .option('--gateway <address>', 'by which they leave that network')
    .option('--to-network <name>', 'where they are answered; not needed for icmp')
    .option('--to-address <cidr>', 'the address of the far end there')
    .option('--to-gateway <address>', 'by which its answers leave that network')
    .option('--target <address>', 'where they are sent to, if not to the far end itself')
    .option('--json', 'data as JSON')
    .addHelpText('after', START_EXAMPLES)
    .action(async ({ network, address, gateway, toNetwork, toAddress, toGateway, json, ...what }: StartOptions) => {
      const isFar = toNetwork !== undefined || toAddress !== undefined;
      const to = isFar ? { network: toNetwork, address: toAddress, gateway: toGateway } : undefined;
      const run = await control().startProbe({ ...what, from: { network, address, gateway }, to });
      io.out(json === true ? `${JSON.stringify(run)}\n` : `${run.id}\n`);
      io.err(`Next: switchboard lab probe report ${run.id}\n`);
    });
}

/** A line for each direction. */
function rowsOf({ id, state, error, spec, report }: ProbeRun<number>): string[][] {
  const start = [id, state, `${spec.protocol} ${spec.perSecond}/s to ${spec.target}`];
  const trouble = report?.broken ?? error ?? '';
  if (report === undefined) return [[...start, '', '', '', '', trouble]];
  return report.directions.map(({ direction, sent, lost, longestGapMs }) => [
    ...start,
    direction,
    String(sent),
    String(lost),
    `${longestGapMs} ms`,
    trouble,
  ]);
}

function runLines(runs: readonly ProbeRun<number>[]): string {
  const head = ['RUN', 'STATE', 'PROBES', 'DIRECTION', 'SENT', 'LOST', 'LONGEST GAP', 'BROKEN'];
  return runs.length === 0 ? '' : table(head, runs.flatMap(rowsOf));
}

function list(io: Io, control: ControlOf): Command {
  return new Command('list')
    .description('The runs, with what each direction has lost so far and its longest gap')
    .option('--json', 'data as JSON')
    .action(async ({ json }: { readonly json?: boolean }) => {
      const runs = await control().probes();
      io.out(json === true ? `${JSON.stringify(runs)}\n` : runLines(runs));
      if (runs.length === 0) io.err('There is no probe run.\nNext: switchboard lab probe start --help\n');
    });
}

type WholeRun = ProbeRun<readonly LostProbe[]>;

/** When the lost ones were sent: what was lost one after the other is one line. */
function lossLines({ report }: WholeRun): string {
  return (report?.directions ?? [])
    .map(({ direction, lost }) =>
      stretches(lost)
        .map((one) => `${direction}: ${one}\n`)
        .join(''),
    )
    .join('');
}

function stretches(lost: readonly LostProbe[]): string[] {
  const found: LostProbe[][] = [];
  for (const probe of lost) {
    const last = found.at(-1);
    if (last !== undefined && last.at(-1)?.sequence === probe.sequence - 1) last.push(probe);
    else found.push([probe]);
  }
  return found.map(
    (one) => `${one.length} lost from ${one[0]?.sentAtMs} ms to ${one.at(-1)?.sentAtMs} ms after the first`,
  );
}

function tell(io: Io, run: WholeRun, json: boolean): void {
  if (json) return io.out(`${JSON.stringify(run)}\n`);
  const directions = run.report?.directions.map(({ lost, ...rest }) => ({ ...rest, lost: lost.length }));
  const counted = { ...run, report: run.report && { ...run.report, directions: directions ?? [] } };
  io.out(runLines([counted]) + lossLines(run));
  const { senderPauseMs, overflowed } = run.report ?? { senderPauseMs: 0, overflowed: 0 };
  io.err(
    `The sender's own longest pause was ${senderPauseMs} ms; ${overflowed} probes were lost in the ends' own sockets.\n`,
  );
}

function report(io: Io, control: ControlOf): Command {
  return new Command('report')
    .description(
      'What a run has seen so far, or in the end; what was sent less than a second ago is left out meanwhile',
    )
    .argument('<run>', 'as `probe list` names it')
    .option('--json', 'data as JSON, with every lost probe')
    .action(async (id: string, { json }: { readonly json?: boolean }) =>
      tell(io, await control().probe(id), json === true),
    );
}

function stop(io: Io, control: ControlOf): Command {
  return new Command('stop')
    .description('End a run, wait for its last answers, and tell its report')
    .argument('<run>', 'as `probe list` names it')
    .option('--json', 'data as JSON, with every lost probe')
    .action(async (id: string, { json }: { readonly json?: boolean }) =>
      tell(io, await control().stopProbe(id), json === true),
    );
}

function remove(io: Io, control: ControlOf): Command {
  return new Command('remove')
    .description('End runs at once and forget their reports: those named, or all')
    .argument('[run...]', 'as `probe list` names them')
    .action(async (ids: readonly string[]) => {
      const all = ids.length > 0 ? ids : (await control().probes()).map(({ id }) => id);
      for (const id of all) await control().removeProbe(id);
      io.err(all.length === 0 ? 'There is no probe run.\n' : `Removed: ${all.join(', ')}.\n`);
    });
}
