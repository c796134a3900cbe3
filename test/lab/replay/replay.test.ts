import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chapters } from './chapters.ts';
import { readRecordings } from './recording.ts';
import { knownDifferences, rules } from './rules.ts';
import type { Finding } from './run.ts';
import { replay } from './run.ts';

const findings: Finding[] = [];
let recorded = 0;

beforeAll(async () => {
  const all = await readRecordings();
  recorded = all.length;
  const byChapter = await Promise.all(chapters.map((chapter) => replay(chapter, all)));
  findings.push(...byChapter.flat());
});

const withVerdict = (verdict: Finding['verdict']) => findings.filter((finding) => finding.verdict === verdict);

afterAll(() => {
  const ids = rules.map(({ id }) => id);
  const byRule = ids.map((id) => `${id} ${findings.filter(({ rule }) => rule === id).length}`);
  const [same, accepted, different] = [withVerdict('identical'), withVerdict('accepted'), withVerdict('different')];
  process.stdout.write(
    `${same.length} of ${recorded} identical, ${accepted.length} accepted by rule ${ids[0]}…${ids.at(-1)} (${byRule.join(', ')}), ` +
      `${different.length} known to differ\n`,
  );
});

describe('the recordings of the genuine daemon, replayed byte for byte', () => {
  it('are all replayed', () => {
    expect(findings.map(({ exchange }) => exchange.n).sort((a, b) => a - b)).toHaveLength(450);
    expect(findings).toHaveLength(recorded);
  });

  it('are answered with the same status line, headers and body, but for those known to differ', () => {
    const unexpected = withVerdict('different').filter(({ exchange }) => knownDifferences[exchange.n] === undefined);
    const told = unexpected.map(
      ({ exchange, difference }) => `#${exchange.n} ${exchange.group}: ${exchange.label}\n${difference}`,
    );
    expect(told.join('\n\n')).toBe('');
  });

  it('are known to differ only as long as they do', () => {
    const different = withVerdict('different').map(({ exchange }) => exchange.n);
    expect(
      Object.keys(knownDifferences)
        .map(Number)
        .filter((n) => !different.includes(n)),
    ).toEqual([]);
  });

  it('are accepted by a rule no more often than now', () => {
    const byRule = rules.map(({ id }) => [id, findings.filter(({ rule }) => rule === id).length]);
    expect(Object.fromEntries(byRule)).toEqual({ R1: 27, R2: 2, R3: 3 });
  });
});
