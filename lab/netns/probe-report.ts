import type { EndReport } from './probe-wire.ts';

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

/** UDP and TCP: the server answers every probe at once, so its arrivals are what it has sent. */
export function twoWayReport(protocol: 'udp' | 'tcp', sender: EndReport, receiver: EndReport): ProbeReport {
  const sent = new Map(sender.sentAtMs.entries());
  return {
    protocol,
    directions: [
      direction('forward', sent, receiver.arrivals),
      direction('backward', new Map(receiver.arrivals), sender.arrivals),
    ],
    senderPauseMs: longestPause(sender.sentAtMs),
    overflowed: sender.overflowed + receiver.overflowed,
    broken: sender.broken,
  };
}

/** ping -D: `[1700000000.123456] 64 bytes from 192.0.2.1: icmp_seq=5 ttl=63 time=0.114 ms`. It counts from 1. */
export function pingReport(output: string, perSecond: number, total: number): ProbeReport {
  const answers = [...output.matchAll(/^\[(\d+\.\d+)\] \d+ bytes from .*icmp_seq=(\d+) .*time=([\d.]+) ms/gm)].map(
    ([, at = '', sequence = '', tripMs = '']) => ({
      sequence: Number(sequence) - 1,
      atMs: Number(at) * 1_000,
      sentAtMs: Number(at) * 1_000 - Number(tripMs),
    }),
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
