// One end of a probe, run inside a network namespace: `node probe-program.js '{"role":"receiver",…}'`. Its output says that
// it is ready, each line after that what it saw since, the last one how it ended. When its input ends, a receiver
// ends and a sender sends no more.
import { receiveTcp, receiveUdp, sendTcp, sendUdp, type Stage } from './probe-ends.ts';
import { Tape } from './probe-tape.ts';
import type { EndReport, ProbeRole } from './probe-wire.ts';

const tellEveryMs = 250;

function say(line: object, whenSaid: () => void = () => undefined): void {
  process.stdout.write(`${JSON.stringify(line)}\n`, whenSaid);
}

type Ending = Pick<EndReport, 'overflowed' | 'broken'>;

function play(role: ProbeRole, stage: Stage): Promise<Ending> {
  if (role.role === 'sender') return (role.protocol === 'udp' ? sendUdp : sendTcp)(role, stage);
  return (role.protocol === 'udp' ? receiveUdp : receiveTcp)(role.port, stage);
}

/** What was seen is told from the moment on at which the end is ready. */
async function playAndTell(role: ProbeRole, tape: Tape): Promise<Ending> {
  const ending = new AbortController();
  process.stdin.resume().once('end', () => ending.abort());
  let telling: NodeJS.Timeout | undefined;
  const onReady = (): void => {
    say({ ready: true });
    telling = setInterval(() => say(tape.take()), tellEveryMs);
  };
  try {
    return await play(role, { tape, onReady, end: ending.signal });
  } finally {
    clearInterval(telling);
  }
}

const tape = new Tape();
// The lab is the only one who starts this program.
const ended = await playAndTell(JSON.parse(process.argv[2] ?? '{}') as ProbeRole, tape);
say({ ...tape.take(), ...ended, ended: true }, () => process.exit(0));
