// The lab as a process of its own. Settings come from the environment; one JSON line on stdout says when it is up.
import { startControl } from '../lab/control.ts';
import { startLab } from '../lab/lab.ts';

const { env } = process;

function numberFrom(name: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new Error(`${name} is "${text}"; it has to be a number, 0 or more`);
  return value;
}

function latencyProfile(): 'zero' | 'reference' {
  const text = env['SWITCHBOARD_LAB_LATENCY'] ?? 'zero';
  if (text !== 'zero' && text !== 'reference') {
    throw new Error(`SWITCHBOARD_LAB_LATENCY is "${text}"; it has to be zero or reference`);
  }
  return text;
}

function guestKind(): 'in-process' | 'namespaces' {
  const text = env['SWITCHBOARD_LAB_GUESTS'] ?? 'in-process';
  if (text !== 'in-process' && text !== 'namespaces') {
    throw new Error(`SWITCHBOARD_LAB_GUESTS is "${text}"; it has to be in-process or namespaces`);
  }
  return text;
}

const lab = await startLab({
  port: numberFrom('SWITCHBOARD_LAB_PORT'),
  guestSshPort: numberFrom('SWITCHBOARD_LAB_GUEST_SSH_PORT'),
  speed: numberFrom('SWITCHBOARD_LAB_SPEED'),
  latencies: latencyProfile(),
  guests: guestKind(),
  stateFile: env['SWITCHBOARD_LAB_STATE_FILE'] || undefined,
});
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
