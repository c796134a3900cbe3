/** A file system found on a config drive, seen through its root folder: all that cloud-init's NoCloud source looks at. */
export interface Volume {
  /** For people: `FAT16`, `ISO9660 with Joliet`. */
  readonly kind: string;
  readonly labels: readonly string[];
  /** The content of a file of the root folder, undefined when there is none of that name. Throws ConfigDriveError on damage. */
  readFile(name: string): Buffer | undefined;
}
