import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chaptersOf } from './infer.ts';
import { readRecordings } from './recording.ts';
import { describeDifference, summary } from './report.ts';
import { rules } from './rules.ts';
import type { Finding } from './run.ts';
import { replay } from './run.ts';

const findings: Finding[] = [];
let recorded = 0;

beforeAll(async () => {
  const all = await readRecordings();
  recorded = all.length;
  const byChapter = await Promise.all(chaptersOf(all, []).map(replay));
  findings.push(...byChapter.flat());
});

const withVerdict = (verdict: Finding['verdict']) => findings.filter((finding) => finding.verdict === verdict);

afterAll(() => {
  process.stdout.write(`${summary(findings)}\n`);
});

describe('the recordings of the genuine daemon, replayed byte for byte', () => {
  it('are all replayed', () => {
    expect(findings).toHaveLength(recorded);
  });

  it('are answered with the same status line, headers and body', () => {
    expect(withVerdict('different').map(describeDifference).join('\n\n')).toBe('');
  });

  it('are accepted by a rule no more often than now', () => {
    const byRule = rules.map(({ id }) => [id, findings.filter(({ rule }) => rule === id).length]);
    expect(Object.fromEntries(byRule)).toEqual({ R1: 27, R2: 1, R3: 2, R4: 1, R5: 1 });
  });
});
