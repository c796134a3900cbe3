import type { Db } from '../adapters/postgres/database.ts';
import type { Ledger } from '../adapters/postgres/ledger.ts';
import type { Locks } from '../adapters/postgres/locks.ts';
import type { RunLog } from '../adapters/postgres/run-log.ts';
import type { Vault } from '../adapters/postgres/vault.ts';
import type { VmRegistry } from '../adapters/postgres/vm-registry.ts';
import type { buildConfigDrive } from '../adapters/cloud-init/drive.ts';
import type { renderCloudInit } from '../adapters/cloud-init/render.ts';
import type { generateHostKey } from '../adapters/ssh/host-key.ts';
import type { probeHostKey } from '../adapters/ssh/probe.ts';
import type { TaskMemory, XapiPools } from '../adapters/xapi/xapi.ts';
import type { LedgerEntry } from '../domain/run.ts';
import type { Recent } from './support/recent.ts';

/** The outside, as instances made by the composition root. Steps import no adapter, only its types. */
export interface Deps {
  readonly pools: Pick<XapiPools, 'get'>;
  readonly db: Db;
  readonly log: RunLog;
  readonly ledger: Ledger;
  readonly locks: Locks;
  readonly vault: Vault;
  readonly vms: VmRegistry;
  readonly recent: Recent;
  readonly generateHostKey: typeof generateHostKey;
  readonly probeHostKey: typeof probeHostKey;
  readonly renderCloudInit: typeof renderCloudInit;
  readonly buildConfigDrive: typeof buildConfigDrive;
  /** Names this process in the log of attempts. */
  readonly worker: string;
}

/** What a workflow sends with every step. */
export interface StepCall<Input> {
  readonly runId: string;
  readonly input: Input;
  readonly committed: boolean;
  /** How often an operator has asked for this step again. */
  readonly round: number;
}

/** What a step knows beside its input while it works. */
export interface StepContext extends Deps {
  readonly runId: string;
  readonly step: string;
  /**
   * The XAPI task that an earlier delivery of this very step may have started: the next delivery re-attaches to it.
   * One memory serves one task at a time; work on several objects in parallel names one for each.
   */
  readonly memory: (key?: string) => TaskMemory;
  /** An earlier delivery may have had an effect that nobody saw. */
  readonly redelivered: boolean;
  /** Aborted when the run is cancelled or the worker shuts down. */
  readonly signal: AbortSignal;
  /** When the step was first scheduled (ms since 1970): deadlines count from here, whatever number of deliveries. */
  readonly scheduledAtMs: number;
  /** Writes down what the run will owe, before the effect. */
  owe(entries: readonly LedgerEntry[]): Promise<void>;
}

/** Said where there is nothing to undo, with the reason; shown in the runbook. */
export interface None {
  readonly none: string;
}

export function none(reason: string): None {
  return { none: reason };
}

/**
 * One recoverable effect on the outside = one Temporal activity = one file, named alike.
 * `find` answers the output when the effect is there already and complete; `do` runs only when it is not, and must be
 * able to complete what an earlier delivery left half done; `undo` gets the input of `do` and must find by tag, since
 * the output may have been lost.
 */
export interface Step<Input, Output> {
  readonly name: string;
  find(ctx: StepContext, input: Input): Promise<Output | undefined>;
  do(ctx: StepContext, input: Input): Promise<Output>;
  readonly undo: ((ctx: StepContext, input: Input) => Promise<void>) | None;
}

/** The output of a step that has nothing to tell but that it came through; only such a step may follow commit(). */
export interface Done {
  readonly done: true;
}

export const DONE: Done = { done: true };

export function step<Input, Output>(definition: Step<Input, Output>): Step<Input, Output> {
  return definition;
}
