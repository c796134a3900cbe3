import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { inNamespace, start } from './commands.ts';
import { pingReport, sentByPing, twoWayReport, type ProbeReport } from './probe-report.ts';
import { nowMs, type EndReport, type ProbeRole } from './probe-wire.ts';

const perSecondAtMost = 1_000;
/** Of one run: what is seen of each is kept until the report is no longer wanted. */
export const probesAtMost = 600_000;
/** A probe that was sent so long ago and has not arrived is told as lost while the run goes on. */
const onTheWayMs = 1_000;

export interface ProbeSpec {
  /** Namespaces of the two ends; ICMP is answered by whoever has the address. */
  readonly from: string;
  readonly to?: string;
  /** Where the probes are sent to: the far end itself, or an address that leads there. */
  readonly address: string;
  readonly protocol: 'udp' | 'icmp' | 'tcp';
  /** The far end listens on it. Not for ICMP. */
  readonly port: number;
  readonly perSecond: number;
  /** Left out: until it is stopped, or has sent the most that one run may. */
  readonly seconds?: number;
}

export interface RunningProbe {
  /** Resolves at the end of the time or when it was stopped, once the last answers have had theirs. Rejects when an end dies. */
  readonly finished: Promise<ProbeReport>;
  /** What is known now of the probes that have had a second for their way. */
  report(): ProbeReport;
  /** No more probes are sent. */
  stop(): void;
  /** Ends both ends at once. */
  kill(): void;
}

/** The compiled program: a Node inside of a namespace runs no TypeScript. */
function programPath(): string {
  const folder = import.meta.url.endsWith('.ts') ? '../../dist/lab/netns/' : './';
  return fileURLToPath(new URL(`${folder}probe-program.js`, import.meta.url));
}

/** Measuring goes before what is measured. */
function inFront(namespace: string, command: readonly string[]): string[] {
  return inNamespace(namespace, ['nice', '-n', '-15', ...command]);
}

/** One end in its namespace. */
class End {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  /** All that it has told so far. */
  seen: EndReport = { sentAtMs: [], arrivals: [], overflowed: 0, broken: undefined };

  constructor(namespace: string, role: ProbeRole) {
    const command = inFront(namespace, [process.execPath, programPath(), JSON.stringify(role)]);
    this.#child = start(command, ['pipe', 'pipe', 'inherit']);
    if (this.#child.stdout === null) throw new Error('the probe has no output');
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async ready(): Promise<void> {
    await this.#next();
  }

  /** Until its end. */
  async follow(): Promise<void> {
    for (;;) {
      // Both ends are the same program.
      const { ended, ...piece } = JSON.parse(await this.#next()) as EndReport & { readonly ended?: true };
      const { sentAtMs, arrivals } = this.seen;
      sentAtMs.push(...piece.sentAtMs);
      arrivals.push(...piece.arrivals);
      this.seen = { ...this.seen, ...piece, sentAtMs, arrivals };
      if (ended) return;
    }
  }

  end(): void {
    this.#child.stdin?.end();
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async #next(): Promise<string> {
    const line = await this.#lines.next();
    if (line.done === true) throw new Error('A probe ended without its report; what it complained about is on stderr');
    return line.value;
  }
}

/**
 * Starts a stream of probes between two namespaces; resolves when the first one is under way. Throws Error beyond 1,000 per second or
 * 600,000 in all.
 */
export async function startProbe(spec: ProbeSpec): Promise<RunningProbe> {
  const { perSecond, seconds = probesAtMost / perSecond } = spec;
  if (!(perSecond > 0 && perSecond <= perSecondAtMost && seconds > 0 && perSecond * seconds <= probesAtMost)) {
    throw new Error(`A probe sends at most ${perSecondAtMost} per second and ${probesAtMost} in all`);
  }
  const { protocol, to } = spec;
  if (protocol === 'icmp') return startPing({ ...spec, seconds });
  if (to === undefined) throw new Error(`${protocol} probes need a far end that answers them`);
  return startPair({ ...spec, protocol, to, seconds });
}

type Timed = ProbeSpec & { readonly seconds: number };

async function startPair(
  spec: Timed & { readonly protocol: 'udp' | 'tcp'; readonly to: string },
): Promise<RunningProbe> {
  const { from, to, ...role } = spec;
  const receiver = new End(to, { role: 'receiver', protocol: role.protocol, port: role.port });
  const ends = [receiver];
  const kill = (): void => ends.forEach((end) => end.kill());
  try {
    await receiver.ready();
    const sender = new End(from, { ...role, role: 'sender' });
    ends.push(sender);
    await sender.ready();
    const report = (untilMs?: number) => twoWayReport(role.protocol, sender.seen, receiver.seen, untilMs);
    const finished = finishPair(sender, receiver)
      .then(() => report())
      .finally(kill);
    return { finished, report: () => report(nowMs() - onTheWayMs), stop: () => sender.end(), kill };
  } catch (error) {
    kill();
    throw error;
  }
}

/** The receiver answers until the sender has nothing more to wait for. */
async function finishPair(sender: End, receiver: End): Promise<void> {
  await Promise.all([sender.follow().then(() => receiver.end()), receiver.follow()]);
}

async function startPing({ from, address, perSecond, seconds }: Timed): Promise<RunningProbe> {
  const total = Math.round(perSecond * seconds);
  const pace = ['-i', String(1 / perSecond), '-c', String(total), '-W', '1'];
  const child = start(inFront(from, ['ping', '-n', '-D', ...pace, address]), ['ignore', 'pipe', 'pipe']);
  const output: Buffer[] = [];
  // What it complains about, of each probe that it cannot send, is part of the report: that one is lost.
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: Buffer) => output.push(data));
  await once(child, 'spawn');
  const startedAtMs = nowMs();
  const report = (sent: number) => pingReport(Buffer.concat(output).toString(), perSecond, sent);
  const due = () => Math.floor(((nowMs() - startedAtMs - onTheWayMs) * perSecond) / 1_000);
  return {
    finished: once(child, 'close').then(([, signal]) =>
      // Stopped before it had begun: it sums up itself otherwise.
      report(signal === 'SIGINT' ? 0 : sentByPing(Buffer.concat(output).toString())),
    ),
    report: () => report(Math.min(total, Math.max(0, due()))),
    stop: () => child.kill('SIGINT'),
    kill: () => child.kill('SIGKILL'),
  };
}
