import { ConfigDriveError } from './boot-errors.ts';
import { DriveBytes } from './drive-bytes.ts';
import { openFatVolume } from './fat-volume.ts';
import { openIsoVolume } from './iso-volume.ts';
import type { Volume } from './volume.ts';

/** What cloud-init's NoCloud source finds on a drive, as text and not yet understood. */
export interface ConfigDrive {
  /** The file system, for the console: `FAT16`, `ISO9660 with Joliet`. */
  readonly volumeKind: string;
  readonly metaData: string;
  readonly userData: string;
  readonly networkConfig: string | undefined;
}

/**
 * Reads a NoCloud config drive from the raw content of its disk, which may be longer than the file system on it: FAT12, FAT16 or
 * FAT32, with or without an MBR before it, or ISO9660 with Rock Ridge, Joliet or plain names.
 * Throws ConfigDriveError: no volume labelled `cidata`, a required file missing, damage on the way to one.
 */
export function readConfigDrive(content: Buffer): ConfigDrive {
  const volume = findVolume(new DriveBytes(content));
  return {
    volumeKind: volume.kind,
    metaData: requiredText(volume, 'meta-data'),
    userData: requiredText(volume, 'user-data'),
    networkConfig: volume.readFile('network-config')?.toString('utf8'),
  };
}

function findVolume(drive: DriveBytes): Volume {
  const others: string[] = [];
  for (const start of [0, ...partitionStarts(drive)]) {
    const volume = openIsoVolume(drive, start) ?? openFatVolume(drive, start);
    if (!volume) continue;
    if (volume.labels.some((label) => label.toLowerCase() === 'cidata')) return volume;
    others.push(`${volume.kind} labelled ${volume.labels.map((label) => `'${label}'`).join(' and ') || 'nothing'}`);
  }
  const found = others.length === 0 ? 'no FAT or ISO9660 file system' : others.join(', ');
  throw new ConfigDriveError(
    `no volume labelled cidata on the config drive of ${drive.lengthBytes} bytes: it holds ${found}`,
  );
}

/** Where the partitions of an MBR start, in bytes; none when there is no MBR. */
function partitionStarts(drive: DriveBytes): number[] {
  if (!drive.hasText(510, '\x55\xaa')) return [];
  const table = drive.slice(446, 64, 'partition table');
  return [0, 1, 2, 3]
    .filter((index) => table.readUInt8(index * 16 + 4) !== 0)
    .map((index) => table.readUInt32LE(index * 16 + 8) * 512)
    .filter((start) => start > 0);
}

function requiredText(volume: Volume, name: string): string {
  const content = volume.readFile(name);
  if (!content) throw new ConfigDriveError(`the ${volume.kind} volume cidata holds no file ${name}`);
  return content.toString('utf8');
}
