import * as FatFs from 'js-fatfs';

const SECTOR_BYTES = 512;
/** What genisoimage or mkdosfs would make for it is as large: the smallest FAT16 volume. */
const DRIVE_BYTES = 4 * 2 ** 20;
const LABEL = 'cidata'.padEnd(11);

/** Offsets in the boot sector and in a directory entry, from Microsoft's FAT specification 1.03. */
const RESERVED_SECTORS = 14;
const NUMBER_OF_FATS = 16;
const SECTORS_PER_FAT = 22;
const BOOT_LABEL = 43;
const ENTRY_ATTRIBUTES = 11;
const VOLUME_LABEL_ATTRIBUTE = 0x08;

/** A NoCloud config drive, as a person would make one for cloud-init: a small FAT volume with the files on it. */
export async function configDrive(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const image = Buffer.alloc(DRIVE_BYTES);
  const fatFs = await FatFs.create({ diskio: diskOn(image) });
  const work = fatFs.malloc(64 * SECTOR_BYTES);
  const layout = { fmt: FatFs.FM_FAT | FatFs.FM_SFD, n_fat: 2, align: 0, n_root: 0, au_size: SECTOR_BYTES };
  check(fatFs.f_mkfs('', layout, work, 64 * SECTOR_BYTES));
  image.write(LABEL, BOOT_LABEL, 'latin1');
  const root = SECTOR_BYTES * (image.readUInt16LE(RESERVED_SECTORS) + copiesOfTable(image));
  image.write(LABEL, root, 'latin1');
  image.writeUInt8(VOLUME_LABEL_ATTRIBUTE, root + ENTRY_ATTRIBUTES);
  check(fatFs.f_mount(fatFs.malloc(FatFs.sizeof_FATFS), '', 1));
  for (const [name, text] of Object.entries(files)) writeFile(fatFs, name, Buffer.from(text));
  check(fatFs.f_unmount(''));
  return image;
}

function copiesOfTable(image: Buffer): number {
  return image.readUInt8(NUMBER_OF_FATS) * image.readUInt16LE(SECTORS_PER_FAT);
}

function writeFile(fatFs: FatFs.FatFs, name: string, data: Buffer): void {
  const file = fatFs.malloc(FatFs.sizeof_FIL);
  const bytes = fatFs.malloc(data.length);
  check(fatFs.f_open(file, name, FatFs.FA_WRITE | FatFs.FA_CREATE_NEW));
  fatFs.HEAPU8.set(data, bytes);
  check(fatFs.f_write(file, bytes, data.length, fatFs.malloc(4)));
  check(fatFs.f_close(file));
}

function check(result: number): void {
  if (result !== FatFs.FR_OK) throw new Error(`the config drive cannot be made: FatFs answered ${result}`);
}

function diskOn(image: Buffer): FatFs.DiskIO {
  return {
    initialize: () => 0,
    status: () => 0,
    read(fatFs, _drive, at, sector, count) {
      fatFs.HEAPU8.set(image.subarray(sector * SECTOR_BYTES, (sector + count) * SECTOR_BYTES), at);
      return FatFs.RES_OK;
    },
    write(fatFs, _drive, at, sector, count) {
      image.set(fatFs.HEAPU8.subarray(at, at + count * SECTOR_BYTES), sector * SECTOR_BYTES);
      return FatFs.RES_OK;
    },
    ioctl(fatFs, _drive, command, at) {
      if (command === FatFs.GET_SECTOR_COUNT) fatFs.setValue(at, image.length / SECTOR_BYTES, 'i32');
      if (command === FatFs.GET_SECTOR_SIZE) fatFs.setValue(at, SECTOR_BYTES, 'i16');
      if (command === FatFs.GET_BLOCK_SIZE) fatFs.setValue(at, 1, 'i32');
      return FatFs.RES_OK;
    },
  };
}
