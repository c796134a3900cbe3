import { describe, expect, it } from '@jest/globals';
import { readConfigDrive } from '../../../lab/guests/config-drive.ts';
import { behindPartitionTable, fatFsDrive, isoDrive, plainFiles, vfatDrive, type Files } from './drives.ts';

const files: Files = {
  ...plainFiles,
  // Longer than many clusters, and not a multiple of one.
  'user-data': `#cloud-config\n# ${'ünïcode '.repeat(20_000)}\n`,
  'network-config': 'version: 2\n',
};

function expectAllFiles(drive: Buffer, volumeKind: string): void {
  expect(readConfigDrive(drive)).toEqual({
    volumeKind,
    metaData: files['meta-data'],
    userData: files['user-data'],
    networkConfig: files['network-config'],
  });
}

describe('a config drive with a FAT file system', () => {
  it.each([
    { fatBits: 12, sizeKiB: 1440 },
    { fatBits: 16, sizeKiB: 10_240 },
    { fatBits: 32, sizeKiB: 40_960 },
  ])('is read when mkfs.vfat made it with $fatBits-bit tables', ({ fatBits, sizeKiB }) => {
    expectAllFiles(vfatDrive(files, { fatBits, sizeKiB }), `FAT${fatBits}`);
  });

  it('is read behind a partition table', () => {
    expectAllFiles(behindPartitionTable(vfatDrive(files)), 'FAT16');
  });

  it('is read when FatFs made it', async () => {
    expectAllFiles(await fatFsDrive(files), 'FAT16');
  });

  it('is read when FatFs made it and partitioned the drive', async () => {
    expectAllFiles(await fatFsDrive(files, { partitioned: true }), 'FAT16');
  });

  it('is read when the label is in upper case', () => {
    expectAllFiles(vfatDrive(files, { label: 'CIDATA' }), 'FAT16');
  });

  it('is read when the disk is longer than the file system', () => {
    expectAllFiles(Buffer.concat([vfatDrive(files), Buffer.alloc(4096, 0xff)]), 'FAT16');
  });

  it('needs no network-config', () => {
    expect(readConfigDrive(vfatDrive(plainFiles)).networkConfig).toBeUndefined();
  });

  it('may hold other files, before and after', () => {
    const others: Record<string, string> = {};
    for (let index = 0; index < 60; index += 1) others[`a rather long file name ${index}.txt`] = `${index}`;
    expectAllFiles(vfatDrive({ ...others, ...files, README: 'x' }), 'FAT16');
  });
});

describe('a config drive with an ISO9660 file system', () => {
  it.each([
    { flags: ['-rock'], kind: 'ISO9660 with Rock Ridge' },
    { flags: ['-joliet'], kind: 'ISO9660 with Joliet' },
    { flags: ['-joliet', '-rock'], kind: 'ISO9660 with Rock Ridge' },
    { flags: ['-iso-level', '4'], kind: 'ISO9660' },
  ])('is read when genisoimage made it with $flags', ({ flags, kind }) => {
    expectAllFiles(isoDrive(files, flags), kind);
  });

  it('is read when the label is in upper case', () => {
    expectAllFiles(isoDrive(files, ['-rock'], 'CIDATA'), 'ISO9660 with Rock Ridge');
  });

  it('loses its files when the names were cut to eight characters, as on a real machine', () => {
    expect(() => readConfigDrive(isoDrive(files, []))).toThrow('the ISO9660 volume cidata holds no file meta-data');
  });
});
