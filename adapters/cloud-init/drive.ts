import * as FatFs from 'js-fatfs';
import { MIB } from '../../domain/vm.ts';
import { makeReproducible, writeVolumeLabel } from './fat-image.ts';

export interface DriveContent {
  readonly metaData: string;
  readonly userData: string;
  /** cloud-init network configuration; without it the guest's own default (DHCP) holds. */
  readonly networkConfig?: string;
}

const SECTOR_BYTES = 512;
/** The smallest size that is FAT16 with one sector per cluster; enough for every content the catalogue lets through. */
const SMALLEST_DRIVE_BYTES = 4 * MIB;
/** FAT16 counts clusters in 16 bits. */
const LARGEST_DRIVE_BYTES = 31 * MIB;
/** Room for boot sector, two allocation tables and the root directory. */
const OVERHEAD_BYTES = MIB;

/** cloud-init's NoCloud source looks for a file system with this label; old releases know it in lower case only. */
const VOLUME_LABEL = 'cidata';

/**
 * The config drive that a VM boots from: a FAT16 file system without a partition table, size a multiple of 1 MiB.
 * The same content always gives the same bytes, so that uploading it again changes nothing.
 * Throws a RangeError for content beyond 30 MiB.
 */
export async function buildConfigDrive(content: DriveContent): Promise<Buffer> {
  const files = filesOf(content);
  const image = Buffer.alloc(driveBytes(files.reduce((sum, file) => sum + file.data.length, 0)));
  const fatFs = await FatFs.create({ diskio: diskOn(image) });
  format(fatFs);
  writeVolumeLabel(image, VOLUME_LABEL);
  writeFiles(fatFs, files);
  makeReproducible(image);
  return image;
}

interface DriveFile {
  readonly name: string;
  readonly data: Buffer;
}

function filesOf(content: DriveContent): DriveFile[] {
  const files = [
    { name: 'meta-data', data: Buffer.from(content.metaData) },
    { name: 'user-data', data: Buffer.from(content.userData) },
  ];
  if (content.networkConfig !== undefined) {
    files.push({ name: 'network-config', data: Buffer.from(content.networkConfig) });
  }
  return files;
}

function driveBytes(contentBytes: number): number {
  const needed = Math.ceil((contentBytes + OVERHEAD_BYTES) / MIB) * MIB;
  if (needed > LARGEST_DRIVE_BYTES) throw new RangeError(`cloud-init content of ${contentBytes} bytes: 30 MiB at most`);
  return Math.max(needed, SMALLEST_DRIVE_BYTES);
}

function format(fatFs: FatFs.FatFs): void {
  const workBytes = 64 * SECTOR_BYTES;
  const work = fatFs.malloc(workBytes);
  const layout = { fmt: FatFs.FM_FAT | FatFs.FM_SFD, n_fat: 2, align: 0, n_root: 0, au_size: SECTOR_BYTES };
  expectOk('f_mkfs', fatFs.f_mkfs('', layout, work, workBytes));
  fatFs.free(work);
}

function writeFiles(fatFs: FatFs.FatFs, files: readonly DriveFile[]): void {
  const volume = fatFs.malloc(FatFs.sizeof_FATFS);
  expectOk('f_mount', fatFs.f_mount(volume, '', 1));
  for (const file of files) writeFile(fatFs, file);
  expectOk('f_unmount', fatFs.f_unmount(''));
  fatFs.free(volume);
}

function writeFile(fatFs: FatFs.FatFs, { name, data }: DriveFile): void {
  const file = fatFs.malloc(FatFs.sizeof_FIL);
  const bytes = fatFs.malloc(data.length);
  const writtenBytes = fatFs.malloc(4);
  expectOk(`f_open ${name}`, fatFs.f_open(file, name, FatFs.FA_WRITE | FatFs.FA_CREATE_NEW));
  fatFs.HEAPU8.set(data, bytes);
  expectOk(`f_write ${name}`, fatFs.f_write(file, bytes, data.length, writtenBytes));
  if (fatFs.getValue(writtenBytes, 'i32') !== data.length) throw new Error(`config drive: no room for ${name}`);
  expectOk(`f_close ${name}`, fatFs.f_close(file));
  for (const pointer of [writtenBytes, bytes, file]) fatFs.free(pointer);
}

function expectOk(call: string, result: number): void {
  if (result !== FatFs.FR_OK) throw new Error(`config drive: FatFs ${call} answered ${result}`);
}

/** FatFs reads and writes whole sectors; here they are slices of `image`. */
function diskOn(image: Buffer): FatFs.DiskIO {
  const range = (sector: number, count: number) => [sector * SECTOR_BYTES, (sector + count) * SECTOR_BYTES] as const;
  const answers = new Map<number, (fatFs: FatFs.FatFs, at: number) => void>([
    [FatFs.CTRL_SYNC, () => undefined],
    [FatFs.GET_SECTOR_COUNT, (fatFs, at) => fatFs.setValue(at, image.length / SECTOR_BYTES, 'i32')],
    [FatFs.GET_SECTOR_SIZE, (fatFs, at) => fatFs.setValue(at, SECTOR_BYTES, 'i16')],
    [FatFs.GET_BLOCK_SIZE, (fatFs, at) => fatFs.setValue(at, 1, 'i32')],
  ]);
  return {
    initialize: () => 0,
    status: () => 0,
    read(fatFs, _drive, at, sector, count) {
      fatFs.HEAPU8.set(image.subarray(...range(sector, count)), at);
      return FatFs.RES_OK;
    },
    write(fatFs, _drive, at, sector, count) {
      image.set(fatFs.HEAPU8.subarray(at, at + count * SECTOR_BYTES), sector * SECTOR_BYTES);
      return FatFs.RES_OK;
    },
    ioctl(fatFs, _drive, command, at) {
      const answer = answers.get(command);
      answer?.(fatFs, at);
      return answer === undefined ? FatFs.RES_PARERR : FatFs.RES_OK;
    },
  };
}
