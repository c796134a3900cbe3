import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';

const compress = promisify(gzip);
const expand = promisify(gunzip);

/** What was written to disks, by the disk's reference; kept compressed, since most of a disk image is zeros. */
export class Contents {
  private readonly compressed = new Map<string, Buffer>();
  private readonly onChange: (vdi: string, compressed: string | null) => void;

  /** `onChange` is told of each write with the compressed bytes in base64, of each removal with null. */
  constructor(onChange: (vdi: string, compressed: string | null) => void) {
    this.onChange = onChange;
  }

  async write(vdi: string, content: Buffer): Promise<void> {
    this.put(vdi, await compress(content, { level: 1 }));
  }

  /** Undefined when nothing was ever written to the disk. */
  async read(vdi: string): Promise<Buffer | undefined> {
    const found = this.compressed.get(vdi);
    return found === undefined ? undefined : expand(found);
  }

  copy(from: string, to: string): void {
    this.copyFrom(this, from, to);
  }

  /** From a disk of another pool. */
  copyFrom(other: Contents, from: string, to: string): void {
    const found = other.compressed.get(from);
    if (found !== undefined) this.put(to, found);
  }

  drop(vdi: string): void {
    if (this.compressed.delete(vdi)) this.onChange(vdi, null);
  }

  has(vdi: string): boolean {
    return this.compressed.has(vdi);
  }

  /** For the state file: reference and base64 of the compressed bytes. */
  dump(): [string, string][] {
    return [...this.compressed].map(([vdi, bytes]) => [vdi, bytes.toString('base64')]);
  }

  /** As `dump` gave it or `onChange` told it. */
  load(vdi: string, compressed: string | null): void {
    if (compressed === null) this.compressed.delete(vdi);
    else this.compressed.set(vdi, Buffer.from(compressed, 'base64'));
  }

  private put(vdi: string, bytes: Buffer): void {
    this.compressed.set(vdi, bytes);
    this.onChange(vdi, bytes.toString('base64'));
  }
}
