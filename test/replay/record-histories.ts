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
import { HISTORIES, MANIFEST, sha256Of } from './histories.ts';
import { SITUATIONS } from './situations.ts';

let site: Site;
beforeAll(async () => {
  site = await startSite();
});
afterAll(() => site.stop());

const missing = SITUATIONS.filter(({ name }) => !existsSync(join(HISTORIES, `${name}.json`)));

it.each(missing)('records $name', async (situation) => {
  const { name } = situation;
  const run = await situation.play(site);
  const history = await site.temporal.workflow.getHandle(run.workflowId).fetchHistory();
  const text = `${JSON.stringify(JSON.parse(historyToJSON(history)))}\n`;
  expect(text).not.toContain('node_modules');
  writeFileSync(join(HISTORIES, `${name}.json`), text, { flag: 'wx' });
  appendFileSync(MANIFEST, `${sha256Of(text)}  ${name}.json\n`);
});
