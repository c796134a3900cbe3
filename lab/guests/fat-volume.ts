import { ConfigDriveError } from './boot-errors.ts';
import type { DriveBytes } from './drive-bytes.ts';
import { readFatFolder, type FatEntry, type FatFolder } from './fat-directory.ts';
import type { Volume } from './volume.ts';

const sectorSizes: readonly number[] = [512, 1024, 2048, 4096];
/** A folder never holds more: 65,536 entries of 32 bytes. */
const folderBytesAtMost = 65_536 * 32;

type FatKind = 'FAT12' | 'FAT16' | 'FAT32';

/** Positions are bytes from the start of the drive. */
interface Layout {
  readonly kind: FatKind;
  readonly tableAt: number;
  readonly rootAt: number;
  readonly rootBytes: number;
  readonly rootCluster: number;
  readonly dataAt: number;
  readonly clusterBytes: number;
  readonly clusters: number;
  readonly bootLabel: string;
}

/** Opens a FAT file system that starts at the given byte; undefined when there is none. Layout: Microsoft's FAT specification. */
export function openFatVolume(drive: DriveBytes, start: number): Volume | undefined {
  const layout = readLayout(drive, start);
  if (!layout) return undefined;
  const reader = new ClusterReader(drive, layout);
  let folder: FatFolder | undefined;
  const root = (): FatFolder => (folder ??= readFatFolder(reader.rootFolder()));
  return {
    kind: layout.kind,
    get labels() {
      return [root().label ?? '', layout.bootLabel].filter((label) => label !== '' && label !== 'NO NAME');
    },
    readFile: (name) => {
      const file = root().files.find((entry) => isNamed(entry, name));
      return file && reader.file(file);
    },
  };
}

/** Like the kernel's vfat driver: either name, in upper or lower case. */
function isNamed(entry: FatEntry, name: string): boolean {
  return [entry.name, entry.shortName].some((candidate) => candidate.toLowerCase() === name.toLowerCase());
}

function readLayout(drive: DriveBytes, start: number): Layout | undefined {
  if (start + 512 > drive.lengthBytes) return undefined;
  const boot = drive.slice(start, 512, 'boot sector');
  const sectorBytes = boot.readUInt16LE(11);
  const clusterSectors = boot.readUInt8(13);
  const reservedSectors = boot.readUInt16LE(14);
  const tables = boot.readUInt8(16);
  const signed = boot.readUInt16LE(510) === 0xaa55;
  const clusterIsPowerOfTwo = clusterSectors > 0 && (clusterSectors & (clusterSectors - 1)) === 0;
  if (!signed || !sectorSizes.includes(sectorBytes) || !clusterIsPowerOfTwo || !reservedSectors || !tables) {
    return undefined;
  }
  const shortTableSectors = boot.readUInt16LE(22);
  const isFat32 = shortTableSectors === 0;
  const tableSectors = shortTableSectors || boot.readUInt32LE(36);
  const rootBytes = boot.readUInt16LE(17) * 32;
  const rootSector = reservedSectors + tables * tableSectors;
  const dataSector = rootSector + Math.ceil(rootBytes / sectorBytes);
  const totalSectors = boot.readUInt16LE(19) || boot.readUInt32LE(32);
  const clusters = Math.floor((totalSectors - dataSector) / clusterSectors);
  if (clusters < 1) return undefined;
  return {
    kind: fatKind(isFat32, clusters),
    tableAt: start + reservedSectors * sectorBytes,
    rootAt: start + rootSector * sectorBytes,
    rootBytes,
    rootCluster: boot.readUInt32LE(44),
    dataAt: start + dataSector * sectorBytes,
    clusterBytes: clusterSectors * sectorBytes,
    clusters,
    bootLabel: boot.toString('latin1', isFat32 ? 71 : 43, isFat32 ? 82 : 54).trimEnd(),
  };
}

/** The kernel's rule: FAT32 has no short table size; the cluster count tells the other two apart. */
function fatKind(isFat32: boolean, clusters: number): FatKind {
  if (isFat32) return 'FAT32';
  return clusters < 4085 ? 'FAT12' : 'FAT16';
}

class ClusterReader {
  readonly #drive: DriveBytes;
  readonly #layout: Layout;

  constructor(drive: DriveBytes, layout: Layout) {
    this.#drive = drive;
    this.#layout = layout;
  }

  rootFolder(): Buffer {
    const { kind, rootAt, rootBytes, rootCluster } = this.#layout;
    if (kind !== 'FAT32') return this.#drive.slice(rootAt, rootBytes, 'root folder');
    return this.#chain(rootCluster, folderBytesAtMost, 'root folder');
  }

  file(entry: FatEntry): Buffer {
    if (entry.sizeBytes === 0) return Buffer.alloc(0);
    const content = this.#chain(entry.firstCluster, entry.sizeBytes, `file ${entry.name}`);
    if (content.length < entry.sizeBytes) {
      throw new ConfigDriveError(
        `file ${entry.name} should be ${entry.sizeBytes} bytes, but its cluster chain ends after ${content.length}`,
      );
    }
    return content.subarray(0, entry.sizeBytes);
  }

  /** Follows a cluster chain to its end, or until it has this many bytes. */
  #chain(first: number, bytesAtMost: number, what: string): Buffer {
    const { clusterBytes, clusters, dataAt } = this.#layout;
    const parts: Buffer[] = [];
    const seen = new Set<number>();
    let cluster = first;
    while (!this.#isEnd(cluster) && parts.length * clusterBytes < bytesAtMost) {
      if (cluster < 2 || cluster > clusters + 1 || seen.has(cluster)) {
        throw new ConfigDriveError(
          `the cluster chain of ${what} leads to cluster ${cluster}, ${seen.has(cluster) ? 'for the second time' : `of 2 to ${clusters + 1}`}`,
        );
      }
      seen.add(cluster);
      parts.push(this.#drive.slice(dataAt + (cluster - 2) * clusterBytes, clusterBytes, what));
      cluster = this.#next(cluster);
    }
    return Buffer.concat(parts);
  }

  #isEnd(cluster: number): boolean {
    const firstEndMark = { FAT12: 0xff8, FAT16: 0xfff8, FAT32: 0xffffff8 }[this.#layout.kind];
    return cluster >= firstEndMark;
  }

  #next(cluster: number): number {
    const { kind, tableAt } = this.#layout;
    const what = 'file allocation table';
    if (kind === 'FAT32') return this.#drive.slice(tableAt + cluster * 4, 4, what).readUInt32LE() & 0x0fffffff;
    if (kind === 'FAT16') return this.#drive.slice(tableAt + cluster * 2, 2, what).readUInt16LE();
    const pair = this.#drive.slice(tableAt + Math.floor(cluster * 1.5), 2, what).readUInt16LE();
    return cluster % 2 === 0 ? pair & 0xfff : pair >> 4;
  }
}
