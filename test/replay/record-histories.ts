/**
 * Records the situations that have no history yet; what is there is never written again. Not part of `npm test`:
 *
 *   NODE_OPTIONS=--experimental-vm-modules npx jest --coverage=false --testMatch '**\/test/replay/record-histories.ts'
 */
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { startSite } from '../support/site.ts';
import type { Site } from '../support/site.ts';
import { HISTORIES, MANIFEST, sha256Of, storyOf } from './histories.ts';
import type { History } from './histories.ts';
import { SITUATIONS } from './situations.ts';
import type { Played } from './situations.ts';
import { wholeHistory } from './whole-history.ts';

let site: Site;
beforeAll(async () => {
  site = await startSite();
});
afterAll(() => site.stop());

const missing = SITUATIONS.filter(({ name }) => !existsSync(join(HISTORIES, `${name}.json`)));

async function historyOf({ run, goOn }: Played): Promise<History> {
  if (goOn === undefined) return wholeHistory(site, run);
  const history = await site.temporal.workflow.getHandle(run.workflowId).fetchHistory();
  await goOn();
  return history;
}

it.each(missing)('records $name', async (situation) => {
  const { name, story } = situation;
  const history = await historyOf(await situation.play(site));
  expect(storyOf(history)).toBe(story);
  const text = `${JSON.stringify(JSON.parse(historyToJSON(history)))}\n`;
  expect(text).not.toContain('node_modules');
  writeFileSync(join(HISTORIES, `${name}.json`), text, { flag: 'wx' });
  appendFileSync(MANIFEST, `${sha256Of(text)}  ${name}.json\n`);
});
