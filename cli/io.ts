/** What the command line has of its surroundings; made in one place from process and environment. */
export interface Io {
  /** Data: what a script would want to read. */
  out(this: void, text: string): void;
  /** Talk: what only a person wants to read. */
  err(this: void, text: string): void;
  /** Whether stdout is a terminal that can be drawn on, and how wide it is. */
  readonly terminal: { readonly columns: number } | undefined;
  readonly color: boolean;
  readonly serverUrl: string;
  readonly token: string | undefined;
  /** Aborted by Ctrl-C. */
  readonly interrupted: AbortSignal;
}

/** The exit codes that scripts rely on. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  noPermission: 4,
  conflict: 5,
  waiting: 6,
  cancelled: 7,
  doneWithSkips: 8,
  unreachable: 75,
  /** As shells have it for Ctrl-C. */
  interrupted: 130,
} as const;

/** Ends the command: said to the person, told to the script by the exit code. */
export class CliFailure extends Error {
  override readonly name = 'CliFailure';
  readonly exitCode: number;
  /** The problem document of the server, when it sent one. */
  readonly problem: ProblemDocument | undefined;

  constructor(message: string, exitCode: number, problem?: ProblemDocument) {
    super(message);
    this.exitCode = exitCode;
    this.problem = problem;
  }
}

/** RFC 9457, as the API sends it. */
export interface ProblemDocument {
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly hint: string;
  readonly errors?: readonly { readonly pointer?: string; readonly parameter?: string; readonly message: string }[];
  readonly native?: { readonly code: string; readonly params: readonly string[] };
  readonly reasons?: readonly { readonly object: string; readonly reason: string }[];
  readonly runId?: string;
  readonly ownerRunId?: string;
  readonly requestId: string;
}
