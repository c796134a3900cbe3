/** What the two ends of a probe and the lab tell each other. Moments are milliseconds of the machine's one monotonic clock. */
export type ProbeRole =
  | { readonly role: 'receiver'; readonly protocol: 'udp' | 'tcp'; readonly port: number }
  | {
      readonly role: 'sender';
      readonly protocol: 'udp' | 'tcp';
      readonly address: string;
      readonly port: number;
      readonly perSecond: number;
      readonly seconds: number;
    };

/** What one end saw. Each line of its output is a piece of it, what was seen since the line before; the last one says how it ended. */
export interface EndReport {
  /** By sequence number; empty for the receiver, which answers each probe as it arrives. */
  readonly sentAtMs: number[];
  readonly arrivals: (readonly [sequence: number, atMs: number])[];
  /** Arrived at this end but not taken from the socket in time: this end's own fault, not the network's. */
  readonly overflowed: number;
  /** Why the TCP stream did not live to its end. */
  readonly broken: string | undefined;
}

const recordBytes = 16;

export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export function encodeRecord(sequence: number): Buffer {
  const record = Buffer.alloc(recordBytes);
  record.write('probe');
  record.writeUInt32BE(sequence, 8);
  return record;
}

/** Undefined when it is none of ours. */
export function decodeRecord(record: Buffer): number | undefined {
  if (record.length !== recordBytes || record.toString('latin1', 0, 5) !== 'probe') return undefined;
  return record.readUInt32BE(8);
}

/** Cuts a stream into records. */
export class RecordReader {
  #rest = Buffer.alloc(0);

  read(data: Buffer): number[] {
    const all = Buffer.concat([this.#rest, data]);
    const count = Math.floor(all.length / recordBytes);
    this.#rest = all.subarray(count * recordBytes);
    return Array.from({ length: count }, (_, index) =>
      decodeRecord(all.subarray(index * recordBytes, (index + 1) * recordBytes)),
    ).filter((sequence) => sequence !== undefined);
  }
}
