import { describe, expect, it } from '@jest/globals';
import { pingReport, twoWayReport } from '../../../lab/netns/probe-report.ts';
import { RecordReader, encodeRecord } from '../../../lab/netns/probe-wire.ts';

const end = { sentAtMs: [], arrivals: [], overflowed: 0, broken: undefined };

describe('the report of a probe', () => {
  it('tells for each direction what it lost, when, and its longest gap', () => {
    const sender = {
      ...{ ...end, sentAtMs: [100, 101, 102, 103, 104] },
      ...{ arrivals: [[0, 101] as const, [3, 109] as const], overflowed: 1 },
    };
    const receiver = { ...end, arrivals: [[0, 100.5] as const, [1, 101.5] as const, [3, 108.5] as const] };
    expect(twoWayReport('udp', sender, receiver)).toEqual({
      protocol: 'udp',
      directions: [
        {
          ...{ direction: 'forward', sent: 5, received: 3, longestGapMs: 7 },
          lost: [
            { sequence: 2, sentAtMs: 2 },
            { sequence: 4, sentAtMs: 4 },
          ],
        },
        { direction: 'backward', sent: 3, received: 2, longestGapMs: 8, lost: [{ sequence: 1, sentAtMs: 1 }] },
      ],
      senderPauseMs: 1,
      overflowed: 1,
      broken: undefined,
    });
  });

  it('reads what ping prints, and counts what it does not', () => {
    const output = `PING 192.0.2.50 (192.0.2.50) 56(84) bytes of data.
[1700000000.010000] 64 bytes from 192.0.2.50: icmp_seq=1 ttl=63 time=10.0 ms
[1700000000.030000] 64 bytes from 192.0.2.50: icmp_seq=3 ttl=63 time=10.0 ms
`;
    const [direction] = pingReport(output, 100, 4).directions;
    expect(direction).toMatchObject({ direction: 'round-trip', sent: 4, received: 2, longestGapMs: 20 });
    expect(direction?.lost).toEqual([
      { sequence: 1, sentAtMs: 10 },
      { sequence: 3, sentAtMs: 30 },
    ]);
  });

  it('that lost everything says so', () => {
    expect(pingReport('', 10, 2).directions).toMatchObject([{ sent: 2, received: 0, longestGapMs: 0 }]);
  });
});

it('a stream is cut into its records, wherever TCP cut it', () => {
  const bytes = Buffer.concat([encodeRecord(0), encodeRecord(1), encodeRecord(70_000)]);
  const reader = new RecordReader();
  const cuts = [bytes.subarray(0, 5), bytes.subarray(5, 33), bytes.subarray(33)];
  expect(cuts.flatMap((cut) => reader.read(cut))).toEqual([0, 1, 70_000]);
});
