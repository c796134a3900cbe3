import { resolve } from 'node:path';
import { Command } from 'commander';
import type { Io } from '../io.ts';
import { CliFailure, EXIT } from '../io.ts';
import type { Session } from '../session.ts';
import { wordsOf } from '../words.ts';
import { LabControl } from './lab-control.ts';
import type { LabRequest, StartedLab } from './lab-host.ts';
import { statusLines } from './status-lines.ts';

/** The snapshot that `lab diff` compares with unless another is named. */
export const SNAPSHOT_AT_START = 'up';

const UP_EXAMPLES = `
Examples:
  switchboard lab up
  switchboard lab up --scenario ./rehearsal.yaml --state ./rehearsal.json --detach`;

interface UpOptions extends Omit<LabRequest, 'stateFile'> {
  readonly state?: string;
  readonly detach?: boolean;
  readonly json?: boolean;
}

export function upCommand(session: Session): Command {
  return new Command('up')
    .description('Start a lab; it ends with Ctrl-C, or with `lab down` when it was detached')
    .option('--scenario <name>', 'a shipped scenario or the path of a YAML file')
    .option('--port <port>', 'port of the API on every host; a free one if left out')
    .option('--control-port <port>', 'port of the control on 127.0.0.1; a free one if left out')
    .option('--state <file>', 'keep the world in this file, and go on with it at the next start')
    .option('--speed <factor>', 'how many times faster than life')
    .option('--detach', 'leave it running in the background')
    .option('--json', 'pools as JSON, with their passwords')
    .addHelpText('after', UP_EXAMPLES)
    .action((options: UpOptions) => up(session, options));
}

async function up({ io, setCode }: Session, { detach, json, state, scenario, ...rest }: UpOptions): Promise<void> {
  const running = io.lab.find();
  if (running !== undefined) {
    throw new CliFailure(
      `A lab of yours is running already (pid ${running.pid}); nothing was started.\nNext: switchboard lab status, or switchboard lab down`,
      EXIT.conflict,
    );
  }
  const request = {
    ...rest,
    scenario: pathOrName(io, scenario),
    stateFile: state === undefined ? undefined : resolve(io.folder, state),
  };
  const lab = await started(io, request);
  await introduce(io, lab, json === true);
  if (detach === true) {
    lab.release();
    io.err('Next: switchboard lab status, and switchboard lab down at the end\n');
    return;
  }
  io.err('Ctrl-C ends it.\n');
  const trouble = await Promise.race([lab.ended, untilInterrupted(io.interrupted)]);
  await io.lab.stop();
  if (trouble === undefined) return;
  io.err(`The lab ended by itself (${trouble}); its log is ${lab.logFile}.\n`);
  setCode(EXIT.failed);
}

/** What looks like a path is one, seen from here. */
function pathOrName({ folder }: Io, scenario: string | undefined): string | undefined {
  return scenario !== undefined && /[/\\]|\.ya?ml$/.test(scenario) ? resolve(folder, scenario) : scenario;
}

async function started({ lab }: Io, request: LabRequest): Promise<StartedLab> {
  try {
    return await lab.start(request);
  } catch (error) {
    throw new CliFailure(wordsOf(error), EXIT.failed);
  }
}

/** A lab that cannot be introduced is ended again: Ctrl-C may have come while it started. */
async function introduce(io: Io, lab: StartedLab, json: boolean): Promise<void> {
  try {
    const control = new LabControl(lab.controlUrl, io.interrupted);
    await control.snapshot(SNAPSHOT_AT_START);
    await tellPools(io, control, lab, json);
  } catch (error) {
    await io.lab.stop();
    throw error;
  }
}

async function tellPools(io: Io, control: LabControl, lab: StartedLab, json: boolean): Promise<void> {
  const pools = await control.pools();
  if (json) {
    io.out(`${JSON.stringify({ pid: lab.pid, controlUrl: lab.controlUrl, pools })}\n`);
    return;
  }
  io.out(statusLines(await control.status()));
  const passwords = new Set(pools.map(({ password }) => password));
  io.err(`The password of ${passwords.size === 1 ? 'every pool' : 'the first pool'} is ${pools[0]?.password ?? ''}.\n`);
  io.err(`Control port: ${lab.controlUrl}\nLog: ${lab.logFile}\n`);
}

async function untilInterrupted(interrupted: AbortSignal): Promise<undefined> {
  if (interrupted.aborted) return;
  await new Promise<void>((resolve) => interrupted.addEventListener('abort', () => resolve(), { once: true }));
}

export function downCommand(io: Io): Command {
  return new Command('down').description('End the lab that `lab up` started').action(async () => {
    const lab = await io.lab.stop();
    if (lab === undefined) io.err('No lab of yours is running.\n');
    else io.err(`The lab (pid ${lab.pid}) has ended; no process is left.\n`);
  });
}
