import type { EndReport } from './probe-wire.ts';

/** An echo request numbers itself in 16 bits. */
const sequenceNumbers = 65_536;

export interface LostProbe {
  readonly sequence: number;
  /** Milliseconds after the first probe. */
  readonly sentAtMs: number;
}

/** One direction's truth. `forward`: to the server; `backward`: its answers; `round-trip`: where only both can be seen (ICMP). */
export interface DirectionReport {
  readonly direction: 'forward' | 'backward' | 'round-trip';
  readonly sent: number;
  readonly received: number;
  readonly lost: readonly LostProbe[];
  /** The longest time between two arrivals, one after the other, at the end where this direction ends. */
  readonly longestGapMs: number;
}

export interface ProbeReport {
  readonly protocol: 'udp' | 'icmp' | 'tcp';
  readonly directions: readonly DirectionReport[];
  /** The sender's own longest pause: a gap that is not longer says nothing of the network. */
  readonly senderPauseMs: number;
  /** Probes that arrived but were not taken from the socket in time; they count as lost and are not the network's fault. */
  readonly overflowed: number;
  /** Why the TCP stream broke; undefined when it did not, or was none. */
  readonly broken: string | undefined;
}

/** What one direction carried, from the moments of sending and of arrival; both in milliseconds of one clock. */
function direction(
  name: DirectionReport['direction'],
  sentAtMs: ReadonlyMap<number, number>,
  arrivals: EndReport['arrivals'],
): DirectionReport {
  const arrived = new Set(arrivals.map(([sequence]) => sequence));
  const startMs = Math.min(...[...sentAtMs.values()].slice(0, 1));
  const lost = [...sentAtMs]
    .filter(([sequence]) => !arrived.has(sequence))
    .map(([sequence, atMs]) => ({ sequence, sentAtMs: rounded(atMs - startMs) }));
  const longestGapMs = longestPause(arrivals.map(([, atMs]) => atMs));
  return { direction: name, sent: sentAtMs.size, received: sentAtMs.size - lost.length, lost, longestGapMs };
}

/**
 * UDP and TCP: the server answers every probe at once, so its arrivals are what it has sent. Of what was sent after `untilMs`
 * nothing is said.
 */
export function twoWayReport(
  protocol: 'udp' | 'tcp',
  sender: EndReport,
  receiver: EndReport,
  untilMs = Infinity,
): ProbeReport {
  const sentBy = (moments: Iterable<readonly [number, number]>) =>
    new Map([...moments].filter(([, atMs]) => atMs <= untilMs));
  return {
    protocol,
    directions: [
      direction('forward', sentBy(sender.sentAtMs.entries()), receiver.arrivals),
      direction('backward', sentBy(receiver.arrivals), sender.arrivals),
    ],
    senderPauseMs: longestPause(sender.sentAtMs),
    overflowed: sender.overflowed + receiver.overflowed,
    broken: sender.broken,
  };
}

/** How many it says at its end that it has sent. Throws Error when it came to no such end. */
export function sentByPing(output: string): number {
  const sent = /^(\d+) packets transmitted/m.exec(output)?.[1];
  if (sent === undefined) throw new Error(`ping ended without its report: ${output.trim().split('\n').at(-1)}`);
  return Number(sent);
}

/** ping -D: `[1700000000.123456] 64 bytes from 192.0.2.1: icmp_seq=5 ttl=63 time=0.114 ms`. It counts from 1, and from 0 again after 65,535. */
export function pingReport(output: string, perSecond: number, total: number): ProbeReport {
  let last = 0;
  const answers = [...output.matchAll(/^\[(\d+\.\d+)\] \d+ bytes from .*icmp_seq=(\d+) .*time=([\d.]+) ms/gm)].map(
    ([, at = '', number = '', tripMs = '']) => {
      const laps = Math.round((last - Number(number)) / sequenceNumbers);
      last = Number(number) + laps * sequenceNumbers;
      return { sequence: last - 1, atMs: Number(at) * 1_000, sentAtMs: Number(at) * 1_000 - Number(tripMs) };
    },
  );
  const [first] = answers;
  const startMs = first === undefined ? 0 : first.sentAtMs - (first.sequence * 1_000) / perSecond;
  // ping does not tell when it sent a probe that was lost: when it was due.
  const due = Array.from({ length: total }, (_, index) => startMs + (index * 1_000) / perSecond);
  const arrivals = answers.map(({ sequence, atMs }) => [sequence, atMs] as const);
  return {
    protocol: 'icmp',
    directions: [direction('round-trip', new Map(due.entries()), arrivals)],
    senderPauseMs: longestPause(answers.map(({ sentAtMs }) => sentAtMs)),
    overflowed: 0,
    broken: undefined,
  };
}

function longestPause(momentsMs: readonly number[]): number {
  const pauses = momentsMs.slice(1).map((atMs, index) => atMs - (momentsMs[index] ?? atMs));
  return rounded(pauses.reduce((longest, pause) => Math.max(longest, pause), 0));
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
