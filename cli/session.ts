import type { ApiClient } from './api-client.ts';
import type { Io } from './io.ts';

/** What the commands of one command line share. */
export interface Session {
  readonly io: Io;
  readonly api: ApiClient;
  /** The exit code of a command that ended by itself. */
  setCode(this: void, code: number): void;
  /** Whether somebody is there to be asked, and `--no-input` was not given. */
  ask(this: void): Io['ask'];
}
