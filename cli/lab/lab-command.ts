import { Command } from 'commander';
import type { Io } from '../io.ts';
import { CliFailure, EXIT } from '../io.ts';
import type { Session } from '../session.ts';
import { diffCommand } from './diff-command.ts';
import { faultCommand } from './fault-commands.ts';
import { LabControl } from './lab-control.ts';
import type { ControlOf } from './lab-control.ts';
import { probeCommand } from './probe-commands.ts';
import { statusLines } from './status-lines.ts';
import { downCommand, upCommand } from './up-and-down.ts';

const EXAMPLES = `
Examples:
  switchboard lab up --scenario default --speed 60 --detach
  switchboard lab fault add --kind refused --method VM.start --error HOST_NOT_ENOUGH_FREE_MEMORY 1 0
  switchboard lab diff
  switchboard lab status --control http://127.0.0.1:8881    # the lab of \`npm start\`

The lab is explained in docs/lab.md.`;

/** A simulated cloud to rehearse in. */
export function labCommand(session: Session): Command {
  const command = new Command('lab')
    .description('A simulated cloud to rehearse in: start it, break it, compare it')
    .option('--control <url>', 'control port of another lab than the one of `lab up`')
    .addHelpText('after', EXAMPLES);
  const { io } = session;
  const control: ControlOf = () =>
    new LabControl(controlUrl(io, command.opts<{ control?: string }>().control), io.interrupted);
  return command
    .addCommand(upCommand(session))
    .addCommand(status(io, control))
    .addCommand(faultCommand(io, control))
    .addCommand(power(io, control))
    .addCommand(speed(io, control))
    .addCommand(probeCommand(io, control))
    .addCommand(diffCommand(session, control))
    .addCommand(downCommand(io));
}

function controlUrl({ lab }: Io, given: string | undefined): string {
  const url = given ?? lab.find()?.controlUrl;
  if (url !== undefined) return url;
  throw new CliFailure(
    'No lab of yours is running.\nNext: switchboard lab up, or --control URL for another one',
    EXIT.unreachable,
  );
}

function status(io: Io, control: ControlOf): Command {
  return new Command('status')
    .description('Pools, hosts, VMs, calls, and the faults that are planned and have happened')
    .option('--json', 'data as JSON')
    .action(async ({ json }: { readonly json?: boolean }) => {
      const found = await control().status();
      io.out(json === true ? `${JSON.stringify(found)}\n` : statusLines(found));
    });
}

function power(io: Io, control: ControlOf): Command {
  return new Command('power')
    .description('Take the power from a host at once, or make it run again, whatever it was that took it down')
    .argument('<host>', 'its name')
    .argument('<state>', 'on or off')
    .action(async (host: string, state: string) => {
      await control().setPower(host, state);
      io.err(state === 'off' ? `${host} has no power.\n` : `${host} is on its way back.\n`);
    });
}

function speed(io: Io, control: ControlOf): Command {
  return new Command('speed')
    .description('Change how many times faster than life the lab is')
    .argument('<factor>', 'such as 60: a minute takes a second')
    .action(async (text: string) => {
      const factor = Number(text);
      if (!(factor > 0)) throw new CliFailure(`The speed is "${text}"; it has to be a number above 0.`, EXIT.usage);
      await control().setSpeed(factor);
      io.err(`Work that begins from now on takes 1/${factor} of its time.\n`);
    });
}
