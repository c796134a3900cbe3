import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ConfigDriveError } from '../../../lab/guests/boot-errors.ts';
import { readConfigDrive } from '../../../lab/guests/config-drive.ts';
import { behindPartitionTable, isoDrive, plainFiles, vfatDrive } from './drives.ts';

const userData = `#cloud-config\n# ${'long '.repeat(4000)}\n`;

function failure(drive: Buffer): string {
  try {
    readConfigDrive(drive);
  } catch (error) {
    if (error instanceof ConfigDriveError) return error.message;
    throw error;
  }
  throw new Error('The drive was read although it is broken.');
}

describe('a broken config drive', () => {
  it('is refused when it is empty', () => {
    expect(failure(Buffer.alloc(0))).toBe(
      'no volume labelled cidata on the config drive of 0 bytes: it holds no FAT or ISO9660 file system',
    );
  });

  it('is refused when it holds only zeros', () => {
    expect(failure(Buffer.alloc(1024 * 1024))).toContain('it holds no FAT or ISO9660 file system');
  });

  it('is refused when the label is another one, which is named', () => {
    expect(failure(vfatDrive(plainFiles, { label: 'config-2' }))).toContain("FAT16 labelled 'config-2'");
    expect(failure(isoDrive(plainFiles, ['-rock'], 'config-2'))).toContain("Rock Ridge labelled 'config-2'");
  });

  it.each(['meta-data', 'user-data'])('is refused without %s', (missing) => {
    const files = Object.fromEntries(Object.entries(plainFiles).filter(([name]) => name !== missing));
    expect(failure(vfatDrive(files))).toBe(`the FAT16 volume cidata holds no file ${missing}`);
  });

  it('is refused when the upload ended in the middle of a file', () => {
    const whole = vfatDrive({ 'meta-data': plainFiles['meta-data'] ?? '', 'user-data': userData });
    const drive = whole.subarray(0, whole.indexOf('#cloud-config') + 5000);
    expect(failure(drive)).toMatch(/^file user-data should be 512 bytes at offset \d+, but the drive ends at/);
  });

  it('is refused when the clusters of a file form a circle', () => {
    const drive = vfatDrive({ ...plainFiles, 'user-data': userData });
    const [firstCluster, table] = [3, 512];
    expect(drive.readUInt16LE(table + firstCluster * 2)).toBe(firstCluster + 1);
    drive.writeUInt16LE(firstCluster, table + firstCluster * 2);
    expect(failure(drive)).toContain('leads to cluster 3, for the second time');
  });

  it('is refused when the clusters of a file end before the file does', () => {
    const drive = vfatDrive({ ...plainFiles, 'user-data': userData });
    drive.writeUInt16LE(0xffff, 512 + 3 * 2);
    expect(failure(drive)).toMatch(/^file user-data should be \d+ bytes, but its cluster chain ends after 512$/);
  });
});

describe('random damage to a config drive', () => {
  const drives = {
    FAT12: vfatDrive(plainFiles, { fatBits: 12, sizeKiB: 1440 }),
    FAT16: vfatDrive(plainFiles, { sizeKiB: 4096 }),
    FAT32: behindPartitionTable(vfatDrive(plainFiles, { fatBits: 32, sizeKiB: 40_960 })),
    'ISO9660 with Joliet': isoDrive(plainFiles, ['-joliet']),
    'ISO9660 with Rock Ridge': isoDrive(plainFiles, ['-rock']),
  };

  /** Structures and content stand where the bytes are not zero: damage there is damage that counts. */
  function usedOffsets(drive: Buffer): number[] {
    const used: number[] = [];
    drive.forEach((byte, offset) => byte !== 0 && used.push(offset));
    return used;
  }

  const hit = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
  const keptPart = fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.double({ min: 0, max: 1, noNaN: true }));

  it.each(Object.entries(drives))('ends in content or in a ConfigDriveError on %s', (_kind, drive) => {
    const used = usedOffsets(drive);
    fc.assert(
      fc.property(fc.array(hit, { maxLength: 12 }), keptPart, (hits, kept) => {
        const damaged = Buffer.from(drive.subarray(0, Math.ceil(drive.length * kept)));
        for (const [where, value] of hits) damaged[used[where % used.length] ?? 0] = value;
        try {
          readConfigDrive(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigDriveError);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('ends in a ConfigDriveError on bytes without any order', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 40_000 }), (bytes) => {
        expect(() => readConfigDrive(Buffer.from(bytes))).toThrow(ConfigDriveError);
      }),
    );
  });
});
