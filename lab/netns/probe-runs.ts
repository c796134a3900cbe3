import type { ProbeReport } from './probe-report.ts';
import { startProbe, type ProbeSpec, type RunningProbe } from './probes.ts';

/** The far ends listen on it: each run has one of its own. */
const port = 5001;

export interface EndpointSpec {
  /** The uuid. */
  readonly network: string;
  readonly role: 'client' | 'server';
  /** In CIDR notation. */
  readonly address: string;
  /** Without one it reaches its own network only. */
  readonly gateway?: string;
}

export type RunEnd = Omit<EndpointSpec, 'role'>;

export interface RunSpec extends Pick<ProbeSpec, 'protocol' | 'perSecond' | 'seconds'> {
  readonly from: RunEnd;
  /** Needed for all but ICMP. */
  readonly to?: RunEnd;
  /** Where the probes are sent to. */
  readonly target: string;
}

/** Networks as their machine-side makers see them. */
interface Endpoints {
  addEndpoint(spec: EndpointSpec): Promise<string>;
  removeEndpoint(namespace: string): Promise<void>;
}

/** One run: its ends are there as long as it runs, its report until it is removed. */
export class ProbeRun {
  readonly id: string;
  readonly spec: RunSpec;
  readonly #endpoints: Endpoints;
  readonly #namespaces: string[] = [];
  #probe: RunningProbe | undefined;
  #outcome: ProbeReport | Error | undefined;
  #started: Promise<void> | undefined;
  /** Resolves when it has ended, whatever the end was, and nothing of it is left on the machine. */
  #ended: Promise<void> = Promise.resolve();

  constructor(id: string, spec: RunSpec, endpoints: Endpoints) {
    this.id = id;
    this.spec = spec;
    this.#endpoints = endpoints;
  }

  get state(): 'running' | 'ended' | 'failed' {
    if (this.#outcome === undefined) return 'running';
    return this.#outcome instanceof Error ? 'failed' : 'ended';
  }

  /** Why it has no report. */
  get error(): string | undefined {
    return this.#outcome instanceof Error ? this.#outcome.message : undefined;
  }

  /** While it runs: of the probes that have had their second. Undefined for a run that failed. */
  get report(): ProbeReport | undefined {
    if (this.#outcome instanceof Error) return undefined;
    return this.#outcome ?? this.#probe?.report();
  }

  /** Rejects, and leaves nothing, when it cannot be started. */
  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  async #start(): Promise<void> {
    const { from: near, to: far, target: address, ...what } = this.spec;
    try {
      const from = await this.#add({ ...near, role: 'client' });
      const to = far === undefined ? undefined : await this.#add({ ...far, role: 'server' });
      this.#probe = await startProbe({ ...what, from, ...(to === undefined ? {} : { to }), address, port });
      this.#ended = this.#finish(this.#probe);
    } catch (error) {
      await this.#clear();
      throw error;
    }
  }

  /** Resolves with the last answers, when its report is final. */
  async stop(): Promise<void> {
    await this.start();
    this.#probe?.stop();
    await this.#ended;
  }

  /** At once, and without a report. */
  async kill(): Promise<void> {
    await this.start();
    this.#probe?.kill();
    await this.#ended;
  }

  /** Whether it has this address in this network now. */
  holds({ network, address }: RunEnd): boolean {
    const own = [this.spec.from, this.spec.to].filter((end) => end !== undefined);
    return (
      this.state === 'running' && own.some((end) => end.network === network && bare(end.address) === bare(address))
    );
  }

  async #add(spec: EndpointSpec): Promise<string> {
    const namespace = await this.#endpoints.addEndpoint(spec);
    this.#namespaces.push(namespace);
    return namespace;
  }

  async #finish({ finished }: RunningProbe): Promise<void> {
    try {
      const report = await finished;
      await this.#clear();
      this.#outcome = report;
    } catch (error) {
      await this.#clear();
      this.#outcome = error instanceof Error ? error : new Error(String(error));
    }
  }

  async #clear(): Promise<void> {
    for (const namespace of this.#namespaces.splice(0)) await this.#endpoints.removeEndpoint(namespace);
  }
}

/** The address of a CIDR. */
export const bare = (address: string): string => address.split('/')[0] ?? '';

/** The runs of a lab. */
export class ProbeRuns {
  readonly #endpoints: Endpoints;
  readonly #runs = new Map<string, ProbeRun>();
  #last = 0;

  constructor(endpoints: Endpoints) {
    this.#endpoints = endpoints;
  }

  list(): readonly ProbeRun[] {
    return [...this.#runs.values()];
  }

  find(id: string): ProbeRun | undefined {
    return this.#runs.get(id);
  }

  /** Resolves when the first probe is under way. */
  async start(spec: RunSpec): Promise<ProbeRun> {
    this.#last += 1;
    const run = new ProbeRun(`probe-${this.#last}`, spec, this.#endpoints);
    this.#runs.set(run.id, run);
    try {
      await run.start();
      return run;
    } catch (error) {
      this.#runs.delete(run.id);
      throw error;
    }
  }

  /** Ends it if it runs, and forgets its report. */
  async remove(run: ProbeRun): Promise<void> {
    await run.kill();
    this.#runs.delete(run.id);
  }

  async close(): Promise<void> {
    // One that could not be started has told whoever wanted it.
    await Promise.allSettled(this.list().map((run) => this.remove(run)));
  }
}
