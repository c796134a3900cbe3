const mask = 2n ** 64n - 1n;
const [p1, p2, p3] = [0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n];
const [p4, p5] = [0x85ebca77c2b2ae63n, 0x27d4eb2f165667c5n];

const times = (a: bigint, b: bigint): bigint => (a * b) & mask;
const turned = (value: bigint, bits: bigint): bigint => ((value << bits) | (value >> (64n - bits))) & mask;
const round = (sum: bigint, lane: bigint): bigint => times(turned((sum + times(lane, p2)) & mask, 31n), p1);

/** Four sums, each over every fourth word of the whole stripes of 32 bytes. */
function sumOfStripes(bytes: Buffer): bigint {
  const sums = [(p1 + p2) & mask, p2, 0n, mask + 1n - p1];
  for (let at = 0; at + 32 <= bytes.length; at += 32)
    for (let lane = 0; lane < 4; lane++) sums[lane] = round(sums[lane] ?? 0n, bytes.readBigUInt64LE(at + 8 * lane));
  const bits = [1n, 7n, 12n, 18n];
  const first = sums.reduce((total, sum, at) => (total + turned(sum, bits[at] ?? 0n)) & mask, 0n);
  return sums.reduce((total, sum) => (times(total ^ round(0n, sum), p1) + p4) & mask, first);
}

/** XXH64 with the seed 0, of the published specification of xxHash. */
export function xxh64(bytes: Buffer): bigint {
  let hash = ((bytes.length >= 32 ? sumOfStripes(bytes) : p5) + BigInt(bytes.length)) & mask;
  let at = bytes.length - (bytes.length % 32);
  for (; at + 8 <= bytes.length; at += 8)
    hash = (times(turned(hash ^ round(0n, bytes.readBigUInt64LE(at)), 27n), p1) + p4) & mask;
  if (at + 4 <= bytes.length) {
    hash = (times(turned(hash ^ times(BigInt(bytes.readUInt32LE(at)), p1), 23n), p2) + p3) & mask;
    at += 4;
  }
  for (; at < bytes.length; at++) hash = times(turned(hash ^ times(BigInt(bytes[at] ?? 0), p5), 11n), p1);
  hash = times(hash ^ (hash >> 33n), p2);
  hash = times(hash ^ (hash >> 29n), p3);
  return hash ^ (hash >> 32n);
}
