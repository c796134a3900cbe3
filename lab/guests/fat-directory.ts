const entryBytes = 32;
const attributeVolumeLabel = 0x08;
const attributeFolder = 0x10;
const attributesLongName = 0x0f;
const lastLongPart = 0x40;
const charactersPerPart = 13;

export interface FatEntry {
  /** The long name when there is a valid one, else the short one. */
  readonly name: string;
  readonly shortName: string;
  readonly firstCluster: number;
  readonly sizeBytes: number;
}

export interface FatFolder {
  readonly files: readonly FatEntry[];
  readonly label: string | undefined;
}

/** Reads a FAT folder: 32-byte entries, with VFAT long names in the entries before the one they belong to. */
export function readFatFolder(content: Buffer): FatFolder {
  const files: FatEntry[] = [];
  let label: string | undefined;
  let longName = new LongName();
  for (let at = 0; at + entryBytes <= content.length && content[at] !== 0; at += entryBytes) {
    const entry = content.subarray(at, at + entryBytes);
    const attributes = entry.readUInt8(11);
    if (entry[0] === 0xe5) {
      longName = new LongName();
    } else if ((attributes & 0x3f) === attributesLongName) {
      longName.addPart(entry);
    } else {
      if (attributes & attributeVolumeLabel) label ??= entry.toString('latin1', 0, 11).trimEnd();
      else if (!(attributes & attributeFolder)) files.push(fileEntry(entry, longName));
      longName = new LongName();
    }
  }
  return { files, label };
}

function fileEntry(entry: Buffer, longName: LongName): FatEntry {
  const base = entry.toString('latin1', 0, 8).trimEnd();
  const extension = entry.toString('latin1', 8, 11).trimEnd();
  const shortName = extension === '' ? base : `${base}.${extension}`;
  return {
    name: longName.forEntry(entry) ?? shortName,
    shortName,
    firstCluster: entry.readUInt16LE(20) * 0x10000 + entry.readUInt16LE(26),
    sizeBytes: entry.readUInt32LE(28),
  };
}

/** Collects the parts of a long name, which stand in reverse order and carry a checksum of the short name they belong to. */
class LongName {
  #text = '';
  #nextPart = 0;
  #checksum = -1;

  addPart(entry: Buffer): void {
    const order = entry.readUInt8(0);
    const checksum = entry.readUInt8(13);
    if (order & lastLongPart) {
      this.#text = '';
      this.#nextPart = order & ~lastLongPart;
      this.#checksum = checksum;
    }
    if ((order & ~lastLongPart) !== this.#nextPart || checksum !== this.#checksum) {
      this.#checksum = -1;
      return;
    }
    this.#text = partText(entry) + this.#text;
    this.#nextPart -= 1;
  }

  /** The name, if its parts are complete and were written for this short entry; an older tool leaves orphaned parts behind. */
  forEntry(entry: Buffer): string | undefined {
    const complete = this.#nextPart === 0 && this.#text !== '' && this.#checksum === shortNameChecksum(entry);
    return complete ? this.#text : undefined;
  }
}

function partText(entry: Buffer): string {
  const utf16 = Buffer.concat([entry.subarray(1, 11), entry.subarray(14, 26), entry.subarray(28, 32)]);
  const text = utf16.toString('utf16le', 0, charactersPerPart * 2);
  const end = text.indexOf('\0');
  return end === -1 ? text : text.slice(0, end);
}

function shortNameChecksum(entry: Buffer): number {
  return entry.subarray(0, 11).reduce((sum, byte) => (((sum & 1) << 7) + (sum >> 1) + byte) & 0xff, 0);
}
