// One end of a probe, run inside a network namespace: `node probe-program.js '{"role":"receiver",…}'`. The first line of its
// output says that it is ready, the last one what it saw. A receiver ends when its input does.
import { once } from 'node:events';
import { receiveTcp, receiveUdp, sendTcp, sendUdp } from './probe-ends.ts';
import type { EndReport, ProbeRole } from './probe-wire.ts';

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function play(role: ProbeRole): Promise<EndReport> {
  const onReady = (): void => say({ ready: true });
  if (role.role === 'sender') return (role.protocol === 'udp' ? sendUdp : sendTcp)(role, onReady);
  const end = once(process.stdin.resume(), 'end');
  return (role.protocol === 'udp' ? receiveUdp : receiveTcp)(role.port, onReady, end);
}

// The lab is the only one who starts this program.
const report = await play(JSON.parse(process.argv[2] ?? '{}') as ProbeRole);
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
