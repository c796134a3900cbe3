/**
 * The closed list of failures. Nothing else crosses a boundary (activity → workflow → read model → API → CLI).
 * The class says what the engine does with it; the hint says what a person does next.
 * Classes after the error catalogue of XAPI: see adapters/xapi/error-catalogue.ts for the native codes behind each.
 */
export type FailureClass =
  /** Harmless to repeat at once. */
  | 'retry'
  /** Worth repeating once something outside has changed; bounded by the step's budget. */
  | 'wait'
  /** The outcome is unknown: the next attempt re-reads the world (`find`) before it acts. */
  | 'ambiguous'
  /** The wanted state is there already. */
  | 'done'
  /** Repeating cannot help: an operator or the input has to change. */
  | 'terminal';

interface FailureKind {
  readonly class: FailureClass;
  readonly httpStatus: number;
  readonly hint: string;
}

export const FAILURES = {
  INVALID_INPUT: { class: 'terminal', httpStatus: 400, hint: 'Correct the named field and send the request again.' },
  UNAUTHENTICATED: { class: 'terminal', httpStatus: 401, hint: 'Send a valid token: Authorization: Bearer <token>.' },
  FORBIDDEN: { class: 'terminal', httpStatus: 403, hint: 'Ask an administrator for the named permission.' },
  NOT_FOUND: { class: 'terminal', httpStatus: 404, hint: 'Check the id; list what exists with `switchboard runs`.' },
  RUN_CONFLICT: { class: 'terminal', httpStatus: 409, hint: 'Look at the named run; wait for it or cancel it.' },
  KEY_REUSED: {
    class: 'terminal',
    httpStatus: 422,
    hint: 'This Idempotency-Key belongs to another request. Use a new key for a new request.',
  },
  ACTION_REFUSED: { class: 'terminal', httpStatus: 409, hint: 'Look at the run: its state does not allow this now.' },
  RATE_LIMITED: { class: 'wait', httpStatus: 429, hint: 'Wait as Retry-After says, then try again.' },
  ENGINE_UNAVAILABLE: {
    class: 'wait',
    httpStatus: 503,
    hint: 'The run is recorded and starts by itself once Temporal is back. Send the same request with the same key to follow it.',
  },
  STORE_UNAVAILABLE: {
    class: 'wait',
    httpStatus: 503,
    hint: 'PostgreSQL does not answer. Nothing was started; try again as Retry-After says.',
  },
  RESOURCE_LOCKED: {
    class: 'terminal',
    httpStatus: 409,
    hint: 'Another run owns this object. Wait until that run has ended, then start this one again.',
  },
  NAME_TAKEN: { class: 'terminal', httpStatus: 409, hint: 'Choose another VM name, or delete the VM that has it.' },
  TEMPLATE_NOT_FOUND: {
    class: 'terminal',
    httpStatus: 404,
    hint: 'Check the spelling against the templates of the pool (`xe template-list`).',
  },
  NETWORK_NOT_FOUND: {
    class: 'terminal',
    httpStatus: 404,
    hint: 'Check the spelling against the networks of the pool (`xe network-list`).',
  },
  SR_NOT_FOUND: {
    class: 'terminal',
    httpStatus: 404,
    hint: 'Check the spelling against the storage repositories of the pool (`xe sr-list`).',
  },
  VM_NOT_FOUND: { class: 'terminal', httpStatus: 404, hint: 'Check the VM name and the pool.' },
  NAME_AMBIGUOUS: {
    class: 'terminal',
    httpStatus: 409,
    hint: 'Several objects share this name. Give the uuid, or rename one of them.',
  },
  VM_PROTECTED: {
    class: 'terminal',
    httpStatus: 409,
    hint: 'Lift the named protection on purpose, then start the run again.',
  },
  NO_HOST_FITS: {
    class: 'terminal',
    httpStatus: 409,
    hint: 'The table says per host why not. Free memory, plug the storage or network, ask for less, or use another pool.',
  },
  STORAGE_FULL: {
    class: 'terminal',
    httpStatus: 409,
    hint: 'Free space on the named storage repository or choose another one.',
  },
  GUEST_NO_ADDRESS: {
    class: 'terminal',
    httpStatus: 504,
    hint: 'The guest reported no address in time. Check the template, its guest tools and the cloud-init user data on the console.',
  },
  GUEST_NO_SSH: {
    class: 'terminal',
    httpStatus: 504,
    hint: 'The guest has an address but SSH did not answer in time. Check its sshd and the network path.',
  },
  HOST_KEY_MISMATCH: {
    class: 'terminal',
    httpStatus: 502,
    hint: 'Another machine answers on this address, or the guest ignored its config drive. Do not log in; find out who has the address.',
  },
  POOL_UNREACHABLE: {
    class: 'ambiguous',
    httpStatus: 503,
    hint: 'The pool did not answer. Check its coordinator and the management network, then start the run again.',
  },
  POOL_CREDENTIALS_REFUSED: {
    class: 'terminal',
    httpStatus: 502,
    hint: 'Correct the password file of the pool in the configuration and restart the worker.',
  },
  POOL_CERTIFICATE_REFUSED: {
    class: 'terminal',
    httpStatus: 502,
    hint: 'Nothing was sent. Check who answers on the address; after a wanted renewal, correct tls of the pool in the configuration.',
  },
  POOL_UNKNOWN: {
    class: 'terminal',
    httpStatus: 404,
    hint: 'The worker has no such pool. Add it to the configuration file or correct the pool id.',
  },
  POOL_BUSY: { class: 'wait', httpStatus: 503, hint: 'The pool is busy or in maintenance; the step is repeated.' },
  SESSION_LOST: { class: 'retry', httpStatus: 502, hint: 'The session to the pool was renewed; the step is repeated.' },
  TASK_CANCELLED: {
    class: 'ambiguous',
    httpStatus: 502,
    hint: 'Somebody cancelled the task on the pool. See who, then start the run again.',
  },
  OBJECT_GONE: {
    class: 'terminal',
    httpStatus: 409,
    hint: 'The object vanished while the run worked on it. Find out who removed it, then start the run again.',
  },
  STATE_CONFLICT: {
    class: 'ambiguous',
    httpStatus: 409,
    hint: 'The object is not in the state the step expects: it may have been changed by hand. Look at it in the pool.',
  },
  POOL_REFUSED: {
    class: 'terminal',
    httpStatus: 502,
    hint: 'The pool refused the call. The native XAPI code and its parameters say why.',
  },
  POOL_ERROR: {
    class: 'ambiguous',
    httpStatus: 502,
    hint: 'The pool failed internally. Look at its log (/var/log/xensource.log), then start the run again.',
  },
  STEP_TIMEOUT: {
    class: 'ambiguous',
    httpStatus: 504,
    hint: 'The step did not end in its time. Check the pool and the worker, then start the run again.',
  },
  SECRET_GONE: {
    class: 'terminal',
    httpStatus: 500,
    hint: 'A secret of this run is gone (it goes when a run ends). Start a new run.',
  },
  STRAY_EXECUTION: {
    class: 'terminal',
    httpStatus: 409,
    hint: 'A second workflow was started for one run, or for a run that has ended. It did nothing; look at the run itself.',
  },
  ENGINE_TERMINATED: {
    class: 'terminal',
    httpStatus: 500,
    hint: 'The workflow was ended from outside. The ledger says what may be left; remove it by hand or start a new run.',
  },
  BUG: {
    class: 'ambiguous',
    httpStatus: 500,
    hint: 'Unexpected. The log of the worker has the whole error under the run id; report it.',
  },
} as const satisfies Record<string, FailureKind>;

export type FailureCode = keyof typeof FAILURES;

/** A row of "why not", e.g. one per host when no host fits. */
export interface ReasonRow {
  readonly object: string;
  readonly reason: string;
}

/** Everything a person needs; plain JSON, free of secrets, small. */
export interface FailureDetails {
  /** What was acted on, by name and id: `VM web-01 (4f1c…)`. */
  readonly object?: string;
  /** The pool's own words: XAPI error code and parameters, session references masked. */
  readonly native?: { readonly code: string; readonly params: readonly string[] };
  readonly reasons?: readonly ReasonRow[];
  /** The run that stands in the way. */
  readonly ownerRunId?: string;
}

/** What travels: in workflow failures, `run_events`, problem documents. */
export interface Failure extends FailureDetails {
  readonly code: FailureCode;
  readonly message: string;
}

/** Thrown by steps and adapters; the step runner turns it into a Temporal failure of type `code`. */
export class OperationFailure extends Error {
  override readonly name = 'OperationFailure';
  readonly code: FailureCode;
  readonly details: FailureDetails;

  constructor(code: FailureCode, message: string, details: FailureDetails = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }

  get class(): FailureClass {
    return FAILURES[this.code].class;
  }

  toFailure(): Failure {
    return { code: this.code, message: this.message, ...this.details };
  }
}

export function isFailureCode(value: unknown): value is FailureCode {
  return typeof value === 'string' && Object.hasOwn(FAILURES, value);
}

/** Every non-terminal failure is repeated within the step's budget; `find` runs before each repetition. */
export function isTerminal(code: FailureCode): boolean {
  return FAILURES[code].class === 'terminal';
}
