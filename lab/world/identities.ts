import { createHash, randomBytes } from 'node:crypto';

export const nullRef = 'OpaqueRef:NULL';

/** Hands out references, uuids and MAC addresses; the same seed gives the same ones in the same order. */
export class Identities {
  private readonly seed: string;
  private count = 0;

  constructor(seed: string | undefined) {
    this.seed = seed ?? randomBytes(16).toString('hex');
  }

  uuid(): string {
    this.count += 1;
    return uuidFrom(createHash('sha256').update(`${this.seed}/${this.count}`).digest());
  }

  /** Two 63-bit numbers: tells a copied guest that it is one. */
  generationId(): string {
    this.count += 1;
    const digest = createHash('sha256').update(`${this.seed}/${this.count}`).digest();
    return [0, 8].map((at) => BigInt.asUintN(63, digest.readBigUInt64BE(at))).join(':');
  }

  ref(): string {
    return `OpaqueRef:${this.uuid()}`;
  }
}

/** The uuid shape around the first 16 bytes given. */
export function uuidFrom(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

/** A locally administered unicast address derived from a VM's mac_seed and a device, so that clones get addresses of their own. */
export function macFrom(seed: string, device: string): string {
  const bytes = createHash('sha256').update(`${seed}/${device}`).digest().subarray(0, 6);
  bytes[0] = ((bytes[0] ?? 0) & 0xfc) | 0x02;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}
