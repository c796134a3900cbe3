import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as FatFs from 'js-fatfs';

/** Config drives made by the tools that people make them with; none of them shares code with the lab's reader. */
export type Files = Readonly<Record<string, string>>;

export const plainFiles: Files = {
  'meta-data': 'instance-id: vm-1\nlocal-hostname: web-1\n',
  'user-data': '#cloud-config\n{}\n',
};

export function vfatDrive(
  files: Files,
  { fatBits = 16, sizeKiB = 10_240, label = 'cidata' }: { fatBits?: number; sizeKiB?: number; label?: string } = {},
): Buffer {
  return inFolder((folder) => {
    const image = join(folder, 'drive.img');
    run('mkfs.vfat', ['-C', '-F', String(fatBits), '-s', '1', '-n', label, image, String(sizeKiB)]);
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(folder, 'file'), content);
      run('mcopy', ['-i', image, join(folder, 'file'), `::${name}`]);
    }
    return readFileSync(image);
  });
}

export function isoDrive(files: Files, flags: readonly string[], label = 'cidata'): Buffer {
  return inFolder((folder) => {
    const content = join(folder, 'content');
    mkdirSync(content);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(content, name), text);
    run('genisoimage', ['-quiet', '-volid', label, '-o', join(folder, 'drive.iso'), ...flags, content]);
    return readFileSync(join(folder, 'drive.iso'));
  });
}

const sectorBytes = 512;

/** A drive made by FatFs, as Xen Orchestra does it; `partitioned` puts an MBR before the file system. */
export async function fatFsDrive(files: Files, { partitioned = false, sizeKiB = 10_240 } = {}): Promise<Buffer> {
  const image = Buffer.alloc(sizeKiB * 1024);
  const fatFs = await FatFs.create({ diskio: memoryDisk(image) });
  const work = fatFs.malloc(FatFs.FF_MAX_SS);
  const format = FatFs.FM_FAT | (partitioned ? 0 : FatFs.FM_SFD);
  check(fatFs.f_mkfs('', { fmt: format, n_fat: 1, align: 0, n_root: 0, au_size: 0 }, work, FatFs.FF_MAX_SS));
  const volume = fatFs.malloc(FatFs.sizeof_FATFS);
  check(fatFs.f_mount(volume, '', 1));
  for (const [name, content] of Object.entries(files)) writeFatFsFile(fatFs, name, Buffer.from(content));
  check(fatFs.f_unmount(''));
  labelBootSector(image, partitioned ? image.readUInt32LE(446 + 8) * sectorBytes : 0);
  return image;
}

/** The drive behind a partition table: one partition that starts after 1 MiB, as partitioning tools lay it out today. */
export function behindPartitionTable(fileSystem: Buffer): Buffer {
  const gap = Buffer.alloc(1024 * 1024);
  const entry = 446;
  gap.writeUInt8(0x0e, entry + 4);
  gap.writeUInt32LE(gap.length / sectorBytes, entry + 8);
  gap.writeUInt32LE(fileSystem.length / sectorBytes, entry + 12);
  gap.writeUInt16LE(0xaa55, 510);
  return Buffer.concat([gap, fileSystem]);
}

/** The library cannot set the label, so it is written where FAT12 and FAT16 have a copy of it. */
function labelBootSector(image: Buffer, start: number): void {
  image.write('cidata'.padEnd(11), start + 43, 'latin1');
}

function writeFatFsFile(fatFs: FatFs.FatFs, name: string, content: Buffer): void {
  const file = fatFs.malloc(FatFs.sizeof_FIL);
  const data = fatFs.malloc(content.length + 4);
  fatFs.HEAPU8.set(content, data);
  check(fatFs.f_open(file, name, FatFs.FA_WRITE | FatFs.FA_CREATE_ALWAYS));
  check(fatFs.f_write(file, data, content.length, data + content.length));
  check(fatFs.f_close(file));
}

function check(result: number): void {
  if (result !== FatFs.FR_OK) throw new Error(`FatFs answered ${result} while the test drive was made`);
}

function memoryDisk(image: Buffer): FatFs.DiskIO {
  return {
    initialize: () => 0,
    status: () => 0,
    read: (fatFs, _drive, to, sector, count) => {
      fatFs.HEAPU8.set(image.subarray(sector * sectorBytes, (sector + count) * sectorBytes), to);
      return FatFs.RES_OK;
    },
    write: (fatFs, _drive, from, sector, count) => {
      image.set(fatFs.HEAPU8.subarray(from, from + count * sectorBytes), sector * sectorBytes);
      return FatFs.RES_OK;
    },
    ioctl: (fatFs, _drive, command, to) => {
      if (command === FatFs.GET_SECTOR_COUNT) fatFs.setValue(to, image.length / sectorBytes, 'i32');
      if (command === FatFs.GET_SECTOR_SIZE) fatFs.setValue(to, sectorBytes, 'i16');
      if (command === FatFs.GET_BLOCK_SIZE) fatFs.setValue(to, 1, 'i32');
      return FatFs.RES_OK;
    },
  };
}

function inFolder<T>(make: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-drive-'));
  try {
    return make(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** mkfs lives in a folder that is not on everybody's PATH. */
function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, {
    env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
    stdio: 'pipe',
  });
}
