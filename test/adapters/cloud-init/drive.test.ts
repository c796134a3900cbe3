import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildConfigDrive } from '../../../adapters/cloud-init/drive.ts';
import { readConfigDrive } from '../../../lab/guests/config-drive.ts';

const run = promisify(execFile);
const CONTENT = {
  metaData: 'instance-id: 0190\nlocal-hostname: web-01\n',
  userData: `#cloud-config\nnote: ${'ü'.repeat(60_000)}\n`,
  networkConfig: 'version: 2\n',
};

describe('a config drive', () => {
  let folder: string;
  let image: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'config-drive-'));
    image = join(folder, 'drive.img');
    await writeFile(image, await buildConfigDrive(CONTENT));
  });

  afterAll(() => rm(folder, { recursive: true }));

  it('is FAT16 labelled cidata in the eyes of blkid', async () => {
    const { stdout } = await run('/usr/sbin/blkid', ['-p', '-o', 'export', image]);
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(['LABEL=cidata', 'VERSION=FAT16', 'TYPE=vfat']));
  });

  it('has no fault that fsck.vfat would repair', async () => {
    const { stdout } = await run('/usr/sbin/fsck.vfat', ['-n', '-v', image]);
    expect(stdout).toMatch(/: 4 files, \d+\/\d+ clusters/);
  });

  it('gives every file back to mtools under its long name', async () => {
    const read = async (name: string) =>
      (await run('mtype', ['-i', image, `::${name}`], { maxBuffer: 2 ** 20 })).stdout;
    expect(await read('meta-data')).toBe(CONTENT.metaData);
    expect(await read('user-data')).toBe(CONTENT.userData);
    expect(await read('network-config')).toBe(CONTENT.networkConfig);
  });

  it('is understood by a guest of the lab', async () => {
    const { metaData, userData, networkConfig } = readConfigDrive(await buildConfigDrive(CONTENT));
    expect({ metaData, userData, networkConfig }).toEqual(CONTENT);
  });

  it('holds no network-config unless one is asked for', async () => {
    const { metaData, userData } = CONTENT;
    expect(readConfigDrive(await buildConfigDrive({ metaData, userData })).networkConfig).toBeUndefined();
  });

  it('takes 4 MiB for everyday content and grows with it', async () => {
    expect((await buildConfigDrive(CONTENT)).length).toBe(4 * 2 ** 20);
    const large = { ...CONTENT, userData: `#cloud-config\n#${'x'.repeat(5 * 2 ** 20)}` };
    const drive = await buildConfigDrive(large);
    expect(drive.length).toBe(7 * 2 ** 20);
    expect(readConfigDrive(drive).userData).toBe(large.userData);
  });

  it('refuses content that no FAT16 drive of ours can hold', async () => {
    await expect(buildConfigDrive({ ...CONTENT, userData: 'x'.repeat(31 * 2 ** 20) })).rejects.toThrow(RangeError);
  });

  it('is the same to the byte when it is built again later', async () => {
    const first = await buildConfigDrive(CONTENT);
    // FAT tells times to two seconds: without the fixed times the second drive would differ from the first.
    await new Promise((resolve) => setTimeout(resolve, 2100));
    expect((await buildConfigDrive(CONTENT)).equals(first)).toBe(true);
  });
});
