import { ConfigDriveError } from './boot-errors.ts';
import type { DriveBytes } from './drive-bytes.ts';
import type { Volume } from './volume.ts';

const sectorBytes = 2048;
const firstDescriptorSector = 16;
const descriptorsAtMost = 64;
const descriptorPrimary = 1;
const descriptorSupplementary = 2;
const descriptorEnd = 255;
/** The escape sequences by which a supplementary descriptor says that it is Joliet (UCS-2 levels 1 to 3). */
const jolietEscapes: readonly string[] = ['%/@', '%/C', '%/E'];
const flagFolder = 0x02;
const flagContinues = 0x80;

interface Tree {
  readonly label: string;
  readonly joliet: boolean;
  readonly rootSector: number;
  readonly rootBytes: number;
}

interface IsoFile {
  readonly name: string;
  readonly rockRidge: boolean;
  readonly sector: number;
  readonly sizeBytes: number;
}

/** Opens an ISO9660 file system (ECMA-119) that starts at the given byte; undefined when there is none. */
export function openIsoVolume(drive: DriveBytes, start: number): Volume | undefined {
  const trees = readTrees(drive, start);
  const plain = trees.find((tree) => !tree.joliet);
  if (!plain) return undefined;
  let found: { kind: string; files: readonly IsoFile[] } | undefined;
  const contents = (): { kind: string; files: readonly IsoFile[] } =>
    (found ??= chooseNames(drive, start, trees, plain));
  return {
    get kind() {
      return contents().kind;
    },
    labels: [...new Set(trees.map((tree) => tree.label))],
    readFile: (name) => {
      const file = contents().files.find((candidate) => candidate.name === name);
      return file && drive.slice(start + file.sector * sectorBytes, file.sizeBytes, `file ${name}`);
    },
  };
}

/** The kernel's order of preference: Rock Ridge names, then Joliet's, then the plain ones in lower case without version. */
function chooseNames(drive: DriveBytes, start: number, trees: readonly Tree[], plain: Tree) {
  const files = readFolder(drive, start, plain);
  const joliet = trees.find((tree) => tree.joliet);
  if (files.some((file) => file.rockRidge)) return { kind: 'ISO9660 with Rock Ridge', files };
  if (joliet) return { kind: 'ISO9660 with Joliet', files: readFolder(drive, start, joliet) };
  return { kind: 'ISO9660', files };
}

function readTrees(drive: DriveBytes, start: number): Tree[] {
  const trees: Tree[] = [];
  for (let index = 0; index < descriptorsAtMost; index += 1) {
    const at = start + (firstDescriptorSector + index) * sectorBytes;
    if (!drive.hasText(at + 1, 'CD001')) break;
    const descriptor = drive.slice(at, sectorBytes, 'volume descriptor');
    const type = descriptor.readUInt8(0);
    if (type === descriptorEnd) break;
    const joliet = type === descriptorSupplementary && jolietEscapes.includes(descriptor.toString('latin1', 88, 91));
    if (type !== descriptorPrimary && !joliet) continue;
    if (descriptor.readUInt16LE(128) !== sectorBytes) {
      throw new ConfigDriveError(
        `the ISO9660 volume has blocks of ${descriptor.readUInt16LE(128)} bytes, not ${sectorBytes}`,
      );
    }
    trees.push({
      label: decodeText(descriptor.subarray(40, 72), joliet).replace(/[\0 ]+$/, ''),
      joliet,
      rootSector: descriptor.readUInt32LE(156 + 2),
      rootBytes: descriptor.readUInt32LE(156 + 10),
    });
  }
  return trees;
}

function readFolder(drive: DriveBytes, start: number, tree: Tree): IsoFile[] {
  const content = drive.slice(start + tree.rootSector * sectorBytes, tree.rootBytes, 'root folder');
  const files: IsoFile[] = [];
  let at = 0;
  while (at < content.length) {
    const recordBytes = content.readUInt8(at);
    if (recordBytes === 0) {
      at = (Math.floor(at / sectorBytes) + 1) * sectorBytes;
      continue;
    }
    const record = content.subarray(at, at + recordBytes);
    if (recordBytes < 34 || record.length < recordBytes) {
      throw new ConfigDriveError(`the root folder has a damaged record of ${recordBytes} bytes at byte ${at}`);
    }
    const file = readRecord(record, tree.joliet);
    if (file) files.push(file);
    at += recordBytes;
  }
  return files;
}

/** A file's record; undefined for folders and for what the lab does not read (interleaved or split files). */
function readRecord(record: Buffer, joliet: boolean): IsoFile | undefined {
  const flags = record.readUInt8(25);
  const interleaved = record.readUInt16LE(26) !== 0;
  if (flags & flagFolder || flags & flagContinues || interleaved) return undefined;
  const nameBytes = record.readUInt8(32);
  const afterName = 33 + nameBytes + (nameBytes % 2 === 0 ? 1 : 0);
  const rockRidgeName = joliet ? undefined : readRockRidgeName(record.subarray(afterName));
  return {
    name: rockRidgeName ?? plainName(decodeText(record.subarray(33, 33 + nameBytes), joliet), joliet),
    rockRidge: rockRidgeName !== undefined,
    sector: record.readUInt32LE(2) + record.readUInt8(1),
    sizeBytes: record.readUInt32LE(10),
  };
}

function plainName(recorded: string, joliet: boolean): string {
  const name = recorded.replace(/;\d+$/, '').replace(/\.$/, '');
  return joliet ? name : name.toLowerCase();
}

/** Rock Ridge (IEEE P1282): the name stands in one or several NM entries of the record's system use area. */
function readRockRidgeName(area: Buffer): string | undefined {
  let name: string | undefined;
  let at = 0;
  while (at + 4 <= area.length) {
    const entryBytes = area.readUInt8(at + 2);
    if (entryBytes < 4) break;
    if (area.toString('latin1', at, at + 2) === 'NM') {
      name = (name ?? '') + area.toString('utf8', at + 5, Math.max(at + 5, Math.min(at + entryBytes, area.length)));
    }
    at += entryBytes;
  }
  return name;
}

function decodeText(raw: Buffer, joliet: boolean): string {
  if (!joliet) return raw.toString('latin1');
  const whole = raw.subarray(0, raw.length - (raw.length % 2));
  return Buffer.from(whole).swap16().toString('utf16le');
}
