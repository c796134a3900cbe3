import type { Client, WorkflowExecutionDescription, WorkflowExecutionStatusName } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import type { SearchAttributePair } from '@temporalio/common';
import { defineSearchAttributeKey } from '@temporalio/common';
import { OperationFailure } from '../../domain/errors.ts';
import { findOperation } from '../../domain/operations.ts';
import type { Operation } from '../../domain/operations.ts';
import type { RunRequest, Timing } from '../../domain/run.ts';
import type { RunRow } from '../postgres/rows.ts';
import { orEngineFailure, orRefused, refused } from './engine-failures.ts';

export type ExecutionStatus =
  'running' | 'completed' | 'failed' | 'terminated' | 'timed-out' | 'canceled' | 'not-found';

export interface EngineOptions {
  readonly taskQueue: string;
  /** Base address of Temporal's own page, for links. */
  readonly uiUrl?: string;
}

interface Execution {
  readonly executionId: string;
  /** Of the memo; undefined for a workflow that was not started from here. */
  readonly runId: string | undefined;
  readonly status: ExecutionStatus;
}

const KEYWORDS = {
  operation: defineSearchAttributeKey('OpsOperation', 'KEYWORD'),
  pool: defineSearchAttributeKey('OpsPool', 'KEYWORD'),
  target: defineSearchAttributeKey('OpsTarget', 'KEYWORD'),
  state: defineSearchAttributeKey('OpsState', 'KEYWORD'),
  requestedBy: defineSearchAttributeKey('OpsRequestedBy', 'KEYWORD'),
};
/** The width of a keyword column in Temporal's SQL stores. */
const KEYWORD_CHARS = 255;

/** How long a call may take before Temporal counts as away. */
const CALL_TIMEOUT_MS = 2_000;
/** How long the workflow may take to answer an operator: a worker that is just being restarted is worth waiting for. */
const ANSWER_TIMEOUT_MS = 8_000;
/** The owner of a workflow id may end between "already started" and the look at it; then the start is tried again. */
const START_ATTEMPTS = 3;

/** Temporal as the API and the reconciler see it. Every method throws ENGINE_UNAVAILABLE when Temporal is away. */
export class Engine {
  readonly #client: Client;
  readonly #options: EngineOptions;

  constructor(client: Client, options: EngineOptions) {
    this.#client = client;
    this.#options = options;
  }

  /**
   * Starts the workflow of a run; doing it again is harmless.
   * Throws RUN_CONFLICT with the owner when the workflow id belongs to another run.
   */
  async start(run: RunRow, timing: Timing): Promise<'started' | 'already-started'> {
    let owner: Execution | undefined;
    for (let attempt = 1; attempt <= START_ATTEMPTS; attempt += 1) {
      if (await this.#tryStart(run, timing)) return 'started';
      owner = await this.#latest(run);
      if (owner?.runId === run.id) return 'already-started';
      if (owner?.status === 'running') break;
    }
    throw conflict(run, owner);
  }

  /** Answers what the run will do about it; ACTION_REFUSED with the reason when it cannot be cancelled now. */
  async cancel(run: RunRow, requestedBy: string): Promise<string> {
    const answer = await this.#ask(run, 'cancel', { requestedBy });
    await this.#markCancelled(run);
    return answer;
  }

  async retry(run: RunRow, requestedBy: string): Promise<string> {
    return this.#ask(run, 'retry', { requestedBy });
  }

  async skip(run: RunRow, requestedBy: string, reason: string): Promise<string> {
    return this.#ask(run, 'skip', { requestedBy, reason });
  }

  /**
   * The state of the execution that works for this very run. `not-found` when it never started, or has ended and its
   * workflow id belongs to a later run by now: in both cases nothing is at work for it.
   */
  async describe(run: RunRow): Promise<ExecutionStatus> {
    return (await this.#own(run))?.status ?? 'not-found';
  }

  /** The run on Temporal's own page; undefined when no page is configured. */
  uiLink(run: RunRow): string | undefined {
    if (this.#options.uiUrl === undefined) return undefined;
    const path = ['namespaces', this.#client.options.namespace, 'workflows', run.workflowId].map(encodeURIComponent);
    return `${this.#options.uiUrl.replace(/\/+$/, '')}/${path.join('/')}`;
  }

  async ping(): Promise<void> {
    await this.#call(CALL_TIMEOUT_MS, () =>
      this.#client.workflowService.describeNamespace({ namespace: this.#client.options.namespace }),
    );
  }

  async #tryStart(run: RunRow, timing: Timing): Promise<boolean> {
    const row = findOperation(run.operation);
    if (row === undefined) throw new Error(`Run ${run.id} is of an operation not in the catalogue: ${run.operation}.`);
    try {
      await this.#call(CALL_TIMEOUT_MS, () =>
        this.#client.workflow.start(row.workflow, {
          taskQueue: this.#options.taskQueue,
          ...startOptions(run, row, timing),
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
      throw error;
    }
  }

  async #ask(run: RunRow, verb: 'cancel' | 'retry' | 'skip', request: { requestedBy: string; reason?: string }) {
    const execution = await this.#own(run);
    if (execution?.status !== 'running') throw refused(notRunning(run, verb, execution?.status));
    const handle = this.#client.workflow.getHandle(run.workflowId, execution.executionId);
    try {
      return await this.#call(ANSWER_TIMEOUT_MS, () =>
        handle.executeUpdate<string, [typeof request]>(verb, { args: [request] }),
      );
    } catch (error) {
      throw orRefused(error, verb, run.id);
    }
  }

  /**
   * Temporal's own list says Cancelled only where Temporal was asked as well. The run is being taken back already and
   * cannot be disturbed any more: when this fails, it is the list alone that says Failed.
   */
  async #markCancelled(run: RunRow): Promise<void> {
    const execution = await this.#own(run).catch(() => undefined);
    if (execution === undefined) return;
    const handle = this.#client.workflow.getHandle(run.workflowId, execution.executionId);
    await this.#call(CALL_TIMEOUT_MS, () => handle.cancel()).catch(() => undefined);
  }

  async #own(run: RunRow): Promise<Execution | undefined> {
    const latest = await this.#latest(run);
    return latest?.runId === run.id ? latest : undefined;
  }

  /** The newest execution with the run's workflow id: the only one that can be running. */
  async #latest(run: RunRow): Promise<Execution | undefined> {
    try {
      const described = await this.#call(CALL_TIMEOUT_MS, () =>
        this.#client.workflow.getHandle(run.workflowId).describe(),
      );
      return executionFrom(described);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  }

  async #call<T>(timeoutMs: number, work: () => Promise<T>): Promise<T> {
    try {
      return await this.#client.connection.withDeadline(Date.now() + timeoutMs, work);
    } catch (error) {
      throw orEngineFailure(error);
    }
  }
}

function startOptions(run: RunRow, row: Operation, timing: Timing) {
  const request: RunRequest<unknown> = { runId: run.id, requestedBy: run.requestedBy, input: run.input, timing };
  return {
    workflowId: run.workflowId,
    // A creation has an id of its own for ever. What exists already may be worked on again once the run before has ended.
    workflowIdReusePolicy: row.creates ? ('REJECT_DUPLICATE' as const) : ('ALLOW_DUPLICATE' as const),
    workflowIdConflictPolicy: 'FAIL' as const,
    args: [request],
    memo: { runId: run.id, requestedBy: run.requestedBy },
    staticSummary: run.summary,
    typedSearchAttributes: searchAttributes(run),
  };
}

function searchAttributes(run: RunRow): SearchAttributePair[] {
  const pairs: SearchAttributePair[] = [
    { key: KEYWORDS.operation, value: run.operation },
    { key: KEYWORDS.target, value: run.resource.slice(0, KEYWORD_CHARS) },
    { key: KEYWORDS.state, value: 'running' },
    { key: KEYWORDS.requestedBy, value: run.requestedBy.slice(0, KEYWORD_CHARS) },
  ];
  const { pool } = run.input;
  return typeof pool === 'string' ? [...pairs, { key: KEYWORDS.pool, value: pool }] : pairs;
}

function executionFrom(info: WorkflowExecutionDescription): Execution {
  const owner = info.memo?.runId;
  return {
    executionId: info.runId,
    runId: typeof owner === 'string' ? owner : undefined,
    status: statusFrom(info.status.name),
  };
}

function statusFrom(name: WorkflowExecutionStatusName): ExecutionStatus {
  switch (name) {
    case 'COMPLETED':
      return 'completed';
    case 'FAILED':
      return 'failed';
    case 'CANCELLED':
      return 'canceled';
    case 'TERMINATED':
      return 'terminated';
    case 'TIMED_OUT':
      return 'timed-out';
    default:
      return 'running';
  }
}

function conflict(run: RunRow, owner: Execution | undefined): OperationFailure {
  const who = owner?.runId === undefined ? 'A workflow that was not started by Switchboard' : `Run ${owner.runId}`;
  const message = `${who} works on ${run.resource} already (workflow ${run.workflowId}); run ${run.id} was not started.`;
  return new OperationFailure('RUN_CONFLICT', message, { object: run.resource, ownerRunId: owner?.runId });
}

function notRunning(run: RunRow, verb: string, status: ExecutionStatus | undefined): string {
  if (run.state === 'accepted' && status === undefined) {
    return `Run ${run.id} is accepted but its workflow has not started yet: try ${verb} again in a few seconds.`;
  }
  return `Run ${run.id} is ${run.state} and its workflow ${status ?? 'no longer exists'}: nothing to ${verb}.`;
}
