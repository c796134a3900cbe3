/**
 * What the FatFs build cannot do: a volume label (it is compiled without f_setlabel), and images without the present time.
 * Offsets are those of Microsoft's FAT specification 1.03 for FAT12/16.
 */
const BYTES_PER_SECTOR = 11;
const RESERVED_SECTORS = 14;
const NUMBER_OF_FATS = 16;
const ROOT_ENTRIES = 17;
const SECTORS_PER_FAT = 22;
const VOLUME_ID = 39;
const BOOT_LABEL = 43;
const LABEL_BYTES = 11;

const ENTRY_BYTES = 32;
const ATTRIBUTES = 11;
const VOLUME_LABEL_ATTRIBUTE = 0x08;
const LONG_NAME_ATTRIBUTES = 0x0f;
/** Fields of a directory entry: created (tenths, time, date), last access, last write (time, date). */
const CREATED_TENTHS = 13;
const TIMES = [14, 22];
const DATES = [16, 18, 24];

/** 1980-01-01, the earliest date that FAT can tell. */
const FIRST_DATE = (1 << 5) | 1;
const FIXED_VOLUME_ID = 0x53424344;

/** Labels a freshly formatted volume, in the boot sector and as the first entry of its root directory. */
export function writeVolumeLabel(image: Buffer, label: string): void {
  const padded = label.padEnd(LABEL_BYTES);
  image.write(padded, BOOT_LABEL, 'latin1');
  const entry = rootDirectory(image).subarray(0, ENTRY_BYTES);
  entry.write(padded, 'latin1');
  entry.writeUInt8(VOLUME_LABEL_ATTRIBUTE, ATTRIBUTES);
}

/** Replaces what came from the clock: the volume's serial number and the times of the files in the root directory. */
export function makeReproducible(image: Buffer): void {
  image.writeUInt32LE(FIXED_VOLUME_ID, VOLUME_ID);
  const root = rootDirectory(image);
  for (let at = 0; at < root.length && root[at] !== 0; at += ENTRY_BYTES) {
    const entry = root.subarray(at, at + ENTRY_BYTES);
    if (entry[ATTRIBUTES] === LONG_NAME_ATTRIBUTES) continue;
    entry.writeUInt8(0, CREATED_TENTHS);
    for (const field of TIMES) entry.writeUInt16LE(0, field);
    for (const field of DATES) entry.writeUInt16LE(FIRST_DATE, field);
  }
}

function rootDirectory(image: Buffer): Buffer {
  const sectors =
    image.readUInt16LE(RESERVED_SECTORS) + image.readUInt8(NUMBER_OF_FATS) * image.readUInt16LE(SECTORS_PER_FAT);
  const start = sectors * image.readUInt16LE(BYTES_PER_SECTOR);
  return image.subarray(start, start + image.readUInt16LE(ROOT_ENTRIES) * ENTRY_BYTES);
}
