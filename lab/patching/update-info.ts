/** A patch or an update as its file describes it. Where a real file brings a script that looks, the lab's file says what it would look for. */
export interface UpdateInfo {
  readonly uuid: string;
  readonly name: string;
  readonly description: string;
  readonly version: string;
  /** What it takes on a host's disk. */
  readonly sizeBytes: number;
  /** restartHVM, restartPV, restartHost, restartXAPI. */
  readonly guidance: readonly string[];
  /** Uuids of what must be applied before. */
  readonly requires: readonly string[];
  /** Uuids of what must not be there. */
  readonly conflicts: readonly string[];
  /** The product version and the build that it is for; any if empty. */
  readonly forVersion: string;
  readonly forBuild: string;
  /** Its precheck refuses a host with running VMs, or with an inserted tools ISO. */
  readonly needsNoVms: boolean;
  readonly needsNoIso: boolean;
  /** Its precheck ends well whatever it finds, and prints an error as XML: the answer of the call must be read. */
  readonly answersXml: boolean;
  /** What a live patch of it would do: nothing (ok), all of it, a part of it. */
  readonly livepatch: 'ok' | 'ok_livepatch_complete' | 'ok_livepatch_incomplete';
  /** Keys of the hosts' software_version that it changes. */
  readonly software: Readonly<Record<string, string>>;
}

/** What most updates have in common. */
export const plainUpdate: Omit<UpdateInfo, 'uuid' | 'name' | 'sizeBytes' | 'guidance'> = {
  description: '',
  version: '1.0',
  requires: [],
  conflicts: [],
  forVersion: '',
  forBuild: '',
  needsNoVms: false,
  needsNoIso: false,
  answersXml: false,
  livepatch: 'ok',
  software: {},
};
