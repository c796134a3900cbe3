import { ConfigDriveError } from './boot-errors.ts';

/** A block device's content, read only inside its bounds: whatever a damaged structure points at, the answer is data or a ConfigDriveError. */
export class DriveBytes {
  readonly #content: Buffer;

  constructor(content: Buffer) {
    this.#content = content;
  }

  get lengthBytes(): number {
    return this.#content.length;
  }

  slice(offset: number, lengthBytes: number, what: string): Buffer {
    if (offset < 0 || lengthBytes < 0 || offset + lengthBytes > this.#content.length) {
      throw new ConfigDriveError(
        `${what} should be ${lengthBytes} bytes at offset ${offset}, but the drive ends at ${this.#content.length} bytes: it is truncated or damaged`,
      );
    }
    return this.#content.subarray(offset, offset + lengthBytes);
  }

  /** Whether the text stands at this offset; false beyond the end. */
  hasText(offset: number, text: string): boolean {
    return this.#content.toString('latin1', offset, offset + text.length) === text;
  }
}
