import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { say } from './trouble.js';
import { runInForeground } from './run.js';

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/**
 * Runs jest, whose reporter leaves its counts in a file.
 * @param {string} root folder of the project
 * @param {readonly string[]} args for jest
 * @param {Record<string, string | undefined>} env
 * @returns {Promise<Counts>}
 */
export async function runTests(root, args, env) {
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-tests-'));
  const countsFile = join(folder, 'counts.json');
  try {
    // last, since jest takes every word after --reporters for one more reporter
    const reporters = ['--reporters=default', '--reporters=./test/support/closing-line-reporter.js'];
    const jest = [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
    ];
    const code = await runInForeground(process.execPath, [...jest, ...args, ...reporters], {
      cwd: root,
      env: { ...env, SWITCHBOARD_TEST_COUNTS: countsFile },
    });
    return readCounts(countsFile, code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} countsFile
 * @param {number} code jest's exit code
 * @returns {Counts}
 */
function readCounts(countsFile, code) {
  /** @type {Counts} */
  let counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    counts = JSON.parse(readFileSync(countsFile, 'utf8'));
  } catch {
    say(`jest ended with code ${code} before it had run the tests.`);
  }
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** @param {Counts} counts */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
