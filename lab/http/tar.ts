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

/** An archive of one file. */
export function tarOf(name: string, content: string, modifiedAtMs: number): Buffer {
  const bytes = Buffer.from(content);
  const padding = Buffer.alloc((blockBytes - (bytes.length % blockBytes)) % blockBytes);
  return Buffer.concat([header(name, bytes.length, modifiedAtMs), bytes, padding, Buffer.alloc(2 * blockBytes)]);
}
