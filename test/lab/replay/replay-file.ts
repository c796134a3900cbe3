import { expect, it } from '@jest/globals';
import { chaptersOf } from './infer.ts';
import { readRawRecordings, readRecordings } from './recording.ts';
import { describeDifference, summary } from './report.ts';
import type { Finding } from './run.ts';
import { replay } from './run.ts';

/** `REPLAY_FILE=recordings.jsonl npm run replay`: the worlds are what the answers show, nothing is seeded by hand. */
it('answers a file of recordings as the genuine daemon did', async () => {
  const file = await readRawRecordings(process.env['REPLAY_FILE'] ?? '');
  const findings: Finding[] = [];
  for (const chapter of chaptersOf(file, await readRecordings())) findings.push(...(await replay(chapter)));
  const different = findings.filter(({ verdict }) => verdict === 'different');
  process.stdout.write(`${summary(findings)}\n`);
  expect(different.map(describeDifference).join('\n\n')).toBe('');
}, 3_600_000);
