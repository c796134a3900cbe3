/** What a lab that is to be started is told; what is left out is the lab's own choice. */
export interface LabRequest {
  /** Name of a shipped scenario or absolute path of a file. */
  readonly scenario?: string;
  readonly port?: string;
  readonly controlPort?: string;
  /** Absolute path. */
  readonly stateFile?: string;
  readonly speed?: string;
}

export interface RunningLab {
  readonly pid: number;
  /** Where its control port answers. */
  readonly controlUrl: string;
}

export interface StartedLab extends RunningLab {
  readonly logFile: string;
  /** How it ended, in words, once it has. */
  readonly ended: Promise<string>;
  /** Lets it live on when this program ends. */
  release(): void;
}

/** The lab of this person on this machine: a process of its own, one at a time. */
export interface LabHost {
  /** Resolves when it is up. Rejects with a sentence when it does not come up. */
  start(request: LabRequest): Promise<StartedLab>;
  /** Undefined when none runs. */
  find(): RunningLab | undefined;
  /** Ends it, by force if need be, and resolves when it is gone; undefined when there was none. */
  stop(): Promise<RunningLab | undefined>;
}
