import type { components } from './api.generated.ts';
import type { LabHost } from './lab/lab-host.ts';

/** RFC 9457, as the API sends it. */
export type ProblemDocument = components['schemas']['Problem'];

/** What the command line has of its surroundings: nothing else of the process is touched. */
export interface Io {
  /** Where the command was typed: relative paths are seen from here. */
  readonly folder: string;
  /** Data: what a script would want to read. */
  out(this: void, text: string): void;
  /** Talk: what only a person wants to read. */
  err(this: void, text: string): void;
  /** Whether stdout is a terminal that can be drawn on, and how large it is now. */
  readonly terminal: { readonly columns: number; readonly rows: number } | undefined;
  readonly color: boolean;
  /** Asks the person at the terminal and answers the line typed; undefined when there is nobody to ask. */
  readonly ask: ((this: void, question: string) => Promise<string>) | undefined;
  /** All of stdin, for `--file -`. */
  readStdin(this: void): string;
  /** The text of a file that only its owner may read; throws a sentence when others can. */
  readSecret(this: void, path: string): string;
  readonly lab: LabHost;
  readonly settings: Settings;
  readonly version: string;
  /** Aborted by Ctrl-C. */
  readonly interrupted: AbortSignal;
}

/** Which server is meant and what it is told, as far as the environment says. */
export interface Settings {
  /** SWITCHBOARD_URL */
  readonly url: string | undefined;
  /** SWITCHBOARD_TOKEN */
  readonly token: string | undefined;
  /** SWITCHBOARD_TOKEN_FILE */
  readonly tokenFile: string | undefined;
  /** SWITCHBOARD_PROFILE */
  readonly profile: string | undefined;
  /** Where the profiles are kept; need not exist. */
  readonly configFile: string;
  /** Where a stack that was started in this folder keeps its token; need not exist. */
  readonly localTokenFile: string;
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
