// The lab as a process of its own. Settings come from the environment; one JSON line on stdout says when it is up.
import { startControl } from '../lab/control.ts';
import { startLab } from '../lab/lab.ts';
import type { Scenario } from '../lab/scenario-file.ts';
import { ScenarioTrouble, readScenario } from '../lab/scenario-file.ts';

const { env } = process;

function numberFrom(name: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new Error(`${name} is "${text}"; it has to be a number, 0 or more`);
  return value;
}

function latencyProfile(): 'zero' | 'reference' | undefined {
  const text = env['SWITCHBOARD_LAB_LATENCY'] || undefined;
  if (text !== undefined && text !== 'zero' && text !== 'reference') {
    throw new Error(`SWITCHBOARD_LAB_LATENCY is "${text}"; it has to be zero or reference`);
  }
  return text;
}

function guestKind(): 'in-process' | 'namespaces' | undefined {
  const text = env['SWITCHBOARD_LAB_GUESTS'] || undefined;
  if (text !== undefined && text !== 'in-process' && text !== 'namespaces') {
    throw new Error(`SWITCHBOARD_LAB_GUESTS is "${text}"; it has to be in-process or namespaces`);
  }
  return text;
}

/** What is wrong with a scenario is told without a stack: it is no defect of the lab. */
function scenarioNamed(name: string): Scenario {
  try {
    return readScenario(name);
  } catch (error) {
    if (!(error instanceof ScenarioTrouble)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

const scenario = scenarioNamed(env['SWITCHBOARD_LAB_SCENARIO'] || 'default');
const lab = await startLab({
  ...scenario.options,
  port: numberFrom('SWITCHBOARD_LAB_PORT'),
  guestSshPort: numberFrom('SWITCHBOARD_LAB_GUEST_SSH_PORT'),
  speed: numberFrom('SWITCHBOARD_LAB_SPEED') ?? scenario.options.speed,
  latencies: latencyProfile() ?? scenario.options.latencies,
  guests: guestKind() ?? scenario.options.guests,
  stateFile: env['SWITCHBOARD_LAB_STATE_FILE'] || undefined,
});
for (const fault of scenario.faults) lab.plan(fault);
const control = await startControl(lab, numberFrom('SWITCHBOARD_LAB_CONTROL_PORT') ?? 0);

async function stop(): Promise<void> {
  await control.close();
  await lab.close();
}

function stopOnce(): void {
  process.off('SIGTERM', stopOnce).off('SIGINT', stopOnce);
  stop().catch((error: unknown) => {
    process.stderr.write(`lab: it did not stop cleanly: ${String(error)}\n`);
    process.exitCode = 1;
  });
}
process.on('SIGTERM', stopOnce).on('SIGINT', stopOnce);

process.stdout.write(
  `${JSON.stringify({ ready: true, pid: process.pid, pools: lab.pools, controlUrl: control.url })}\n`,
);
