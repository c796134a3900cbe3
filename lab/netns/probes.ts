import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { inNamespace, start } from './commands.ts';
import { pingReport, twoWayReport, type ProbeReport } from './probe-report.ts';
import type { EndReport, ProbeRole } from './probe-wire.ts';

const perSecondAtMost = 1_000;
const secondsAtMost = 60;

export interface ProbeSpec {
  /** Namespaces of the two ends. */
  readonly from: string;
  readonly to: string;
  /** Where the probes are sent to: the far end itself, or an address that leads there. */
  readonly address: string;
  readonly protocol: 'udp' | 'icmp' | 'tcp';
  /** The far end listens on it. Not for ICMP. */
  readonly port: number;
  readonly perSecond: number;
  readonly seconds: number;
}

export interface RunningProbe {
  /** Resolves at the end of the time, when the last answers have had theirs. */
  readonly finished: Promise<ProbeReport>;
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

  constructor(namespace: string, role: ProbeRole) {
    const command = inFront(namespace, [process.execPath, programPath(), JSON.stringify(role)]);
    this.#child = start(command, ['pipe', 'pipe', 'inherit']);
    if (this.#child.stdout === null) throw new Error('the probe has no output');
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async ready(): Promise<void> {
    await this.#next();
  }

  /** Of a sender: waits for its end. Of a receiver: ends it. */
  async report(): Promise<EndReport> {
    this.#child.stdin?.end();
    // Both ends are the same program.
    return JSON.parse(await this.#next()) as EndReport;
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
 * Starts a stream of probes between two namespaces; resolves when the first one is under way. Throws Error beyond 1,000 per second or 60 s.
 */
export async function startProbe(spec: ProbeSpec): Promise<RunningProbe> {
  const { perSecond, seconds } = spec;
  if (!(perSecond > 0 && perSecond <= perSecondAtMost && seconds > 0 && seconds <= secondsAtMost)) {
    throw new Error(`A probe sends at most ${perSecondAtMost} per second for at most ${secondsAtMost} s`);
  }
  return spec.protocol === 'icmp' ? startPing(spec) : startPair({ ...spec, protocol: spec.protocol });
}

async function startPair(spec: ProbeSpec & { readonly protocol: 'udp' | 'tcp' }): Promise<RunningProbe> {
  const { from, to, ...role } = spec;
  const receiver = new End(to, { role: 'receiver', protocol: role.protocol, port: role.port });
  try {
    await receiver.ready();
    const sender = new End(from, { ...role, role: 'sender' });
    await sender.ready();
    return { finished: finishPair(role.protocol, sender, receiver) };
  } catch (error) {
    receiver.kill();
    throw error;
  }
}

async function finishPair(protocol: 'udp' | 'tcp', sender: End, receiver: End): Promise<ProbeReport> {
  try {
    const sent = await sender.report();
    return twoWayReport(protocol, sent, await receiver.report());
  } finally {
    sender.kill();
    receiver.kill();
  }
}

async function startPing({ from, address, perSecond, seconds }: ProbeSpec): Promise<RunningProbe> {
  const total = Math.round(perSecond * seconds);
  const pace = ['-i', String(1 / perSecond), '-c', String(total), '-W', '1'];
  const child = start(inFront(from, ['ping', '-n', '-D', ...pace, address]), ['ignore', 'pipe', 'inherit']);
  const output: Buffer[] = [];
  child.stdout?.on('data', (data: Buffer) => output.push(data));
  await once(child, 'spawn');
  const finished = once(child, 'close').then(() => pingReport(Buffer.concat(output).toString(), perSecond, total));
  return { finished };
}
