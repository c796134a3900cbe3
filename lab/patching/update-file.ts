import { DriveBytes } from '../guests/drive-bytes.ts';
import { openIsoVolume } from '../guests/iso-volume.ts';
import type { UpdateInfo } from './update-info.ts';
import { readUpdateXml, writeUpdateXml } from './update-xml.ts';

const sectorBytes = 2048;
const [descriptorSector, endSector, rootSector, fileSector] = [16, 17, 18, 19];

/** Numbers stand twice in ISO9660, in both orders of bytes. */
function writeBoth(into: Buffer, at: number, value: number): void {
  into.writeUInt32LE(value, at);
  into.writeUInt32BE(value, at + 4);
}

/** An entry of a folder (ECMA-119, 9.1); the folder itself and its parent are named by one byte. */
function directoryRecord(name: Buffer, sector: number, sizeBytes: number, isFolder: boolean): Buffer {
  const record = Buffer.alloc(33 + name.length + (name.length % 2 === 0 ? 1 : 0));
  record.writeUInt8(record.length, 0);
  writeBoth(record, 2, sector);
  writeBoth(record, 10, sizeBytes);
  record.writeUInt8(isFolder ? 2 : 0, 25);
  record.writeUInt16LE(1, 28);
  record.writeUInt16BE(1, 30);
  record.writeUInt8(name.length, 32);
  name.copy(record, 33);
  return record;
}

function volumeDescriptor(type: number, label: string, sectors: number): Buffer {
  const descriptor = Buffer.alloc(sectorBytes);
  descriptor.writeUInt8(type, 0);
  descriptor.write('CD001\x01', 1, 'latin1');
  if (type !== 1) return descriptor;
  descriptor.write(label.padEnd(32), 40, 'latin1');
  writeBoth(descriptor, 80, sectors);
  descriptor.writeUInt16LE(sectorBytes, 128);
  descriptor.writeUInt16BE(sectorBytes, 130);
  directoryRecord(Buffer.from([0]), rootSector, sectorBytes, true).copy(descriptor, 156);
  return descriptor;
}

/** An ISO9660 image with one file in its root folder. */
function isoImage(label: string, name: string, content: Buffer): Buffer {
  const fileSectors = Math.ceil(content.length / sectorBytes);
  const image = Buffer.alloc((fileSector + fileSectors) * sectorBytes);
  volumeDescriptor(1, label, fileSector + fileSectors).copy(image, descriptorSector * sectorBytes);
  volumeDescriptor(255, label, 0).copy(image, endSector * sectorBytes);
  const root = Buffer.concat([
    directoryRecord(Buffer.from([0]), rootSector, sectorBytes, true),
    directoryRecord(Buffer.from([1]), rootSector, sectorBytes, true),
    directoryRecord(Buffer.from(`${name.toUpperCase()};1`, 'latin1'), fileSector, content.length, false),
  ]);
  root.copy(image, rootSector * sectorBytes);
  content.copy(image, fileSector * sectorBytes);
  return image;
}

/** The file that hosts of XenServer 7.0 and before take at /pool_patch_upload. */
export const patchFile = (info: UpdateInfo): Buffer => Buffer.from(writeUpdateXml('info', info));

/** The ISO that later hosts take on a disk. */
export const updateIso = (info: UpdateInfo): Buffer =>
  isoImage('UPDATE', 'update.xml', Buffer.from(writeUpdateXml('update', info)));

/** Undefined when the file is no patch. */
export function readPatchFile(content: Buffer): UpdateInfo | undefined {
  const info = readUpdateXml('info', content.toString('utf8'));
  return 'missing' in info ? undefined : info;
}

/** What the ISO says of itself, or why it is none of an update: texts of the genuine daemon. */
export function readUpdateIso(content: Buffer | undefined): UpdateInfo | { readonly reason: string } {
  const volume = content === undefined ? undefined : openIsoVolume(new DriveBytes(content), 0);
  if (volume === undefined) return { reason: 'Please upload a valid package.' };
  const document = volume.readFile('update.xml');
  if (document === undefined) return { reason: 'missing update document (update.xml) in the package.' };
  const info = readUpdateXml('update', document.toString('utf8'));
  return 'missing' in info ? { reason: `missing <${info.missing}> in update.xml` } : info;
}
