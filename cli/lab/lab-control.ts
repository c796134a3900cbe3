import { CliFailure, EXIT } from '../io.ts';
import { whyUnanswered } from '../words.ts';

export interface PoolStatus {
  readonly id: string;
  readonly url: string;
  readonly user: string;
  readonly hosts: number;
  readonly liveHosts: number;
  readonly vms: number;
  readonly runningVms: number;
}

export interface LabStatus {
  readonly pid: number;
  readonly speed: number;
  readonly calls: number;
  readonly faultsPlanned: number;
  readonly faultsFired: number;
  readonly pools: readonly PoolStatus[];
}

export interface PlannedFault {
  readonly id: string;
  readonly fired: number;
  readonly fault: Readonly<Record<string, unknown>>;
}

export interface WorldChange {
  readonly pool: string;
  readonly cls: string;
  readonly uuid: string;
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly fields?: Readonly<Record<string, { readonly before: unknown; readonly after: unknown }>>;
}

export interface ProbeDirection {
  readonly direction: string;
  readonly sent: number;
  readonly received: number;
  readonly longestGapMs: number;
}

/** `L` is what it says of the lost ones: how many, or each of them. */
export interface ProbeRun<L> {
  readonly id: string;
  readonly state: 'running' | 'ended' | 'failed';
  readonly error?: string;
  readonly spec: { readonly protocol: string; readonly perSecond: number; readonly target: string };
  readonly report?: {
    readonly directions: readonly (ProbeDirection & { readonly lost: L })[];
    readonly senderPauseMs: number;
    readonly overflowed: number;
    readonly broken?: string;
  };
}

export interface LostProbe {
  readonly sequence: number;
  readonly sentAtMs: number;
}

/** A lab's control port. Every method throws CliFailure with the lab's own words. */
export class LabControl {
  readonly #url: string;
  readonly #interrupted: AbortSignal;

  constructor(url: string, interrupted: AbortSignal) {
    this.#url = url;
    this.#interrupted = interrupted;
  }

  async status(): Promise<LabStatus> {
    return this.#ask<LabStatus>('GET', '/status');
  }

  async pools(): Promise<readonly { readonly id: string; readonly password: string }[]> {
    return this.#ask('GET', '/pools');
  }

  async setSpeed(speed: number): Promise<void> {
    await this.#ask('PUT', '/speed', { speed });
  }

  /** On: it is made to run, whatever it was that took it down. */
  async setPower(host: string, power: string): Promise<void> {
    await this.#ask('PUT', `/hosts/${encodeURIComponent(host)}`, { power });
  }

  async faults(): Promise<PlannedFault[]> {
    return this.#ask<PlannedFault[]>('GET', '/faults');
  }

  async plan(fault: unknown): Promise<PlannedFault> {
    return this.#ask<PlannedFault>('POST', '/faults', fault);
  }

  async forget(id: string): Promise<void> {
    await this.#ask('DELETE', `/faults/${encodeURIComponent(id)}`);
  }

  async forgetAll(): Promise<void> {
    await this.#ask('DELETE', '/faults');
  }

  async probes(): Promise<ProbeRun<number>[]> {
    return this.#ask('GET', '/probes');
  }

  async startProbe(run: unknown): Promise<ProbeRun<number>> {
    return this.#ask('POST', '/probes', run);
  }

  async probe(id: string): Promise<ProbeRun<readonly LostProbe[]>> {
    return this.#ask('GET', `/probes/${encodeURIComponent(id)}`);
  }

  async stopProbe(id: string): Promise<ProbeRun<readonly LostProbe[]>> {
    return this.#ask('POST', `/probes/${encodeURIComponent(id)}/stop`);
  }

  async removeProbe(id: string): Promise<void> {
    await this.#ask('DELETE', `/probes/${encodeURIComponent(id)}`);
  }

  async snapshot(name: string): Promise<void> {
    await this.#ask('POST', '/snapshots', { name });
  }

  async diff(name: string): Promise<WorldChange[]> {
    return this.#ask<WorldChange[]>('GET', `/snapshots/${encodeURIComponent(name)}/diff`);
  }

  async #ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.#fetch(method, path, body);
    if (response.status === 204) return undefined as T;
    const answer = await answerIn(response);
    if (response.ok && answer !== undefined) return answer as T;
    if (answer?.error !== undefined) throw new CliFailure(`The lab refused it: ${answer.error}`, EXIT.usage);
    throw new CliFailure(
      `${this.#url} answered with status ${response.status}, but not as a lab's control port does.\nNext: switchboard lab up`,
      EXIT.unreachable,
    );
  }

  async #fetch(method: string, path: string, body: unknown): Promise<Response> {
    const content =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    try {
      return await fetch(`${this.#url}${path}`, { method, signal: this.#interrupted, ...content });
    } catch (error) {
      if (this.#interrupted.aborted) throw new CliFailure('Interrupted.', EXIT.interrupted);
      throw new CliFailure(
        `The lab's control port ${this.#url} does not answer (${whyUnanswered(error)}).\nNext: switchboard lab up`,
        EXIT.unreachable,
      );
    }
  }
}

/** What a lab answers is JSON, a refusal says its `error`; undefined for what is no JSON. */
async function answerIn(response: Response): Promise<{ readonly error?: string } | undefined> {
  const text = await response.text();
  try {
    return JSON.parse(text) as { error?: string };
  } catch {
    return undefined;
  }
}

/** Gives the control port that the person means. */
export type ControlOf = (this: void) => LabControl;
