import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chaptersOf } from './infer.ts';
import type { Exchange } from './recording.ts';
import { readRecordings } from './recording.ts';
import { describeDifference, summary } from './report.ts';
import { rules } from './rules.ts';
import type { Finding } from './run.ts';
import { replay } from './run.ts';
import { twin } from './twin.ts';

const findings: Finding[] = [];
let recorded: readonly Exchange[] = [];

beforeAll(async () => {
  recorded = await readRecordings();
  const byChapter = await Promise.all(chaptersOf(recorded, []).map((chapter) => replay(chapter)));
  findings.push(...byChapter.flat());
});

const different = (all: readonly Finding[]): string =>
  all
    .filter(({ verdict }) => verdict === 'different')
    .map(describeDifference)
    .join('\n\n');

afterAll(() => {
  process.stdout.write(`${summary(findings)}\n`);
});

describe('the recordings of the genuine daemon, replayed byte for byte', () => {
  it('are all replayed', () => {
    expect(findings).toHaveLength(recorded.length);
  });

  it('are answered with the same status line, headers and body', () => {
    expect(different(findings)).toBe('');
  });

  it('are accepted by a rule no more often than now', () => {
    const byRule = rules.map(({ id }) => [id, findings.filter(({ rule }) => rule === id).length]);
    expect(Object.fromEntries(byRule)).toEqual({ R1: 27, R2: 1, R3: 2, R4: 1, R5: 1, R6: 0 });
  });

  it.each([1, 2] as const)(
    'are answered with the same values and errors when JSON-RPC %i and XML-RPC change places',
    async (version) => {
      const byChapter = await Promise.all(chaptersOf(recorded, []).map((chapter) => replay(chapter, twin(version))));
      expect(different(byChapter.flat())).toBe('');
    },
  );
});
