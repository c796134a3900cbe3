const blockBytes = 512;

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');

/** The header of a plain file in a tar archive of the oldest format, which is the one that the daemon writes. */
function header(name: string, sizeBytes: number, modifiedAtMs: number): Buffer {
  const block = Buffer.alloc(blockBytes);
  const put = (text: string, offset: number) => block.write(text, offset, 'latin1');
  put(name, 0);
  put(octal(0o400, 7), 100);
  put(octal(0, 7), 108);
  put(octal(0, 7), 116);
  put(octal(sizeBytes, 11), 124);
  put(octal(Math.floor(modifiedAtMs / 1000), 11), 136);
  // The sum counts its own field as blanks.
  put(' '.repeat(8), 148);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.fill(0, 148, 156);
  put(octal(sum, 7), 148);
  return block;
}

const paddingOf = (sizeBytes: number): number => (blockBytes - (sizeBytes % blockBytes)) % blockBytes;

/** A file as it stands in an archive. */
export function tarEntry(name: string, bytes: Buffer, modifiedAtMs: number): Buffer {
  return Buffer.concat([header(name, bytes.length, modifiedAtMs), bytes, Buffer.alloc(paddingOf(bytes.length))]);
}

/** What an archive ends with. */
export const tarEnd: Buffer = Buffer.alloc(2 * blockBytes);

/** An archive of one file. */
export function tarOf(name: string, content: string, modifiedAtMs: number): Buffer {
  return Buffer.concat([tarEntry(name, Buffer.from(content), modifiedAtMs), tarEnd]);
}

export interface TarFile {
  readonly name: string;
  readonly content: Buffer;
}

/** A text field of a header, which ends at its first zero byte. */
const field = (block: Buffer, from: number, to: number): string =>
  block.toString('latin1', from, to).replace(/\0.*$/s, '').trim();

/** The files of an archive in their order. Throws RangeError for one that is cut off, or is none. */
export function* tarFiles(archive: Buffer): Generator<TarFile> {
  for (let at = 0; ;) {
    const block = archive.subarray(at, at + blockBytes);
    if (block.length < blockBytes) throw new RangeError('the archive ends before its end');
    if (block.every((byte) => byte === 0)) return;
    const sizeText = field(block, 124, 136);
    if (!/^[0-7]+$/.test(sizeText)) throw new RangeError('this is no header of an archive');
    const start = at + blockBytes;
    const content = archive.subarray(start, start + Number.parseInt(sizeText, 8));
    if (content.length < Number.parseInt(sizeText, 8)) throw new RangeError('the archive ends within a file');
    yield { name: field(block, 0, 100), content };
    at = start + content.length + paddingOf(content.length);
  }
}
