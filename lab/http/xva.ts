import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { decode } from '../dispatch/decode.ts';
import { classModel, isClassName } from '../model/model.ts';
import { isIn } from '../model/releases.ts';
import type { RecordValue } from '../model/types.ts';
import type { Rpc, RpcStruct } from '../wire/rpc.ts';
import { MalformedBody, isList, isStruct } from '../wire/rpc.ts';
import { parseXml } from '../wire/xml-parser.ts';
import { readValue } from '../wire/xml-reader.ts';
import { Store } from '../world/store.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { describeVm, ovaXml } from './export-metadata.ts';
import { tarEnd, tarEntry, tarFiles } from './tar.ts';
import type { TarFile } from './tar.ts';
import { xxh64 } from './xxh64.ts';

const chunkBytes = 2 ** 20;
/** Of what this writes and reads; archives of before had their checksums at their end. */
const exportVersion = 2;

/** Of which kind a checksum is, by the end of its file's name. */
const checksums: Readonly<Record<string, (bytes: Buffer) => string>> = {
  '.checksum': (bytes) => createHash('sha1').update(bytes).digest('hex'),
  '.xxhash': (bytes) => xxh64(bytes).toString(16).toUpperCase().padStart(16, '0'),
};

/** Older daemons knew SHA-1 only; which release came with the other one exactly is not known. */
const checksumOf = (world: World): string => (isIn('21.3.0', world.product.model.release) ? '.xxhash' : '.checksum');

const isZero = (bytes: Buffer): boolean => bytes.every((byte) => byte === 0);

/** A disk in pieces of 1 MiB: the first and the last one always, the others unless they are zeros. */
async function* chunksOf(world: World, name: string, vdi: string): AsyncGenerator<Buffer> {
  const { virtual_size: size } = world.store.get('VDI', vdi);
  const content = (await world.contents.read(vdi)) ?? Buffer.alloc(0);
  const [extension, last] = [checksumOf(world), Math.ceil(size / chunkBytes) - 1];
  const written = Math.ceil(content.length / chunkBytes);
  const numbers = new Set([...Array(Math.min(Math.max(written, 1), last + 1)).keys(), last]);
  for (const number of numbers) {
    const start = number * chunkBytes;
    const chunk = Buffer.alloc(Math.min(chunkBytes, size - start));
    content.subarray(start, start + chunk.length).copy(chunk);
    if (number !== 0 && number !== last && isZero(chunk)) continue;
    const file = `${name}/${String(number).padStart(8, '0')}`;
    yield tarEntry(file, chunk, Date.now());
    yield tarEntry(`${file}${extension}`, Buffer.from(checksums[extension]?.(chunk) ?? ''), Date.now());
  }
}

/** The whole VM, piece by piece: a tar archive of its description and its disks, without what is in its CD drives. */
export async function* xvaOf(world: World, vm: string): AsyncGenerator<Buffer> {
  const { text, disks } = describeVm(world, vm);
  yield tarEntry(ovaXml, Buffer.from(text), Date.now());
  for (const [name, vdi] of disks) {
    const { VBDs: vbds, SR: sr } = world.store.get('VDI', vdi);
    const isCd = vbds.some((vbd) => world.store.get('VBD', vbd).type === 'CD');
    if (!isCd && world.store.get('SR', sr).content_type !== 'iso') yield* chunksOf(world, name, vdi);
  }
  yield tarEnd;
}

/** What an archive has: the objects under their names there, and what was on the disks. */
export interface Xva {
  readonly objects: Store;
  readonly contents: ReadonlyMap<string, Buffer>;
}

const importError = (reason: string): XapiError => new XapiError('IMPORT_ERROR', reason);

function headerIn(first: TarFile | undefined): RpcStruct {
  if (first?.name !== ovaXml) throw new XapiError('IMPORT_ERROR_UNEXPECTED_FILE', ovaXml, first?.name ?? '');
  try {
    const header = readValue(parseXml(first.content.toString('utf8')));
    if (isStruct(header)) return header;
  } catch (error) {
    if (!(error instanceof MalformedBody)) throw error;
    throw importError(error.message);
  }
  throw importError('ova.xml holds no description of a VM');
}

function recordOf(world: World, cls: string, snapshot: RpcStruct): RecordValue {
  if (!isClassName(cls)) throw importError(`there is no class ${cls}`);
  const fields = classModel(cls).fields.map(({ name, type, initial }) => {
    const given = snapshot[name];
    return [name, given === undefined ? initial : decode(world.product.model, type, given)] as const;
  });
  return Object.fromEntries(fields);
}

function objectsIn(world: World, { version, objects }: RpcStruct): Store {
  const vsn = version !== undefined && isStruct(version) ? Number(version['export_vsn']) : NaN;
  if (vsn !== exportVersion) throw new XapiError('IMPORT_INCOMPATIBLE_VERSION');
  const store = new Store(world.identities, {});
  const list: readonly Rpc[] = objects !== undefined && isList(objects) ? objects : [];
  for (const object of list) {
    if (!isStruct(object)) throw importError('ova.xml holds what is no object');
    const { class: cls, id, snapshot } = object;
    if (typeof cls !== 'string' || typeof id !== 'string' || snapshot === undefined || !isStruct(snapshot))
      throw importError('ova.xml holds what is no object');
    // What it does not know, such as the hosts of before, an import leaves aside.
    if (isClassName(cls)) store.create(cls, recordOf(world, cls, snapshot), id);
  }
  return store;
}

/** Throws IMPORT_ERROR_UNEXPECTED_FILE, and IMPORT_ERROR_SOME_CHECKSUMS_FAILED unless it is forced. */
function contentsIn(objects: Store, files: readonly TarFile[], force: boolean): Map<string, Buffer> {
  const chunks = new Map<string, [number, Buffer][]>();
  for (const [at, { name, content }] of files.entries()) {
    const [, disk = '', digits = '', extension] = /^(.+)\/(\d{8})(\.\w+)?$/.exec(name) ?? [];
    if (objects.find('VDI', disk) === undefined || extension !== undefined)
      if (extension === undefined || checksums[extension] === undefined)
        throw new XapiError('IMPORT_ERROR_UNEXPECTED_FILE', 'a chunk of a disk', name);
    if (extension !== undefined) {
      const sum = checksums[extension]?.(files[at - 1]?.content ?? Buffer.alloc(0));
      if (!force && sum !== content.toString('latin1')) throw new XapiError('IMPORT_ERROR_SOME_CHECKSUMS_FAILED');
    } else if (!isZero(content)) chunks.set(disk, [...(chunks.get(disk) ?? []), [Number(digits), content]]);
  }
  return new Map([...chunks].map(([disk, parts]) => [disk, joined(parts)]));
}

function joined(parts: readonly (readonly [number, Buffer])[]): Buffer {
  const ends = parts.map(([number, part]) => number * chunkBytes + part.length);
  const content = Buffer.alloc(Math.max(...ends));
  for (const [number, part] of parts) part.copy(content, number * chunkBytes);
  return content;
}

/** Reads an archive, packed with gzip or not. Throws the official errors of an import. */
export function readXva(world: World, archive: Buffer, force: boolean): Xva {
  try {
    const files = [...tarFiles(archive.readUInt16BE(0) === 0x1f8b ? gunzipSync(archive) : archive)];
    const objects = objectsIn(world, headerIn(files[0]));
    return { objects, contents: contentsIn(objects, files.slice(1), force) };
  } catch (error) {
    if (error instanceof RangeError) throw new XapiError('IMPORT_ERROR_PREMATURE_EOF');
    throw error;
  }
}
