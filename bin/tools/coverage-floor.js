import { readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { say } from './trouble.js';

/** @typedef {{ linesPercent: number, branchesPercent: number }} Coverage */
/** @typedef {{ total: number, covered: number }} Count */
/** @typedef {{ lines: Count, branches: Count }} FileSummary */

/** The product without its programs: those run as processes of their own, where nothing is counted. */
const FOLDERS = ['domain', 'workflows', 'activities', 'adapters', 'api', 'cli'];
const FLOOR_FILE = 'test/coverage-floor.json';
/** So far above the floor the coverage may be before somebody is asked to raise it. */
const MARGIN_PERCENT = 1;

/**
 * Holds what the whole of the tests has covered against the floor, and says both.
 * @param {string} root folder of the project
 * @returns {import('./tests.js').Counts} one check
 */
export function checkCoverage(root) {
  /** @type {Coverage} */
  const floor = JSON.parse(readFileSync(join(root, FLOOR_FILE), 'utf8'));
  const found = measured(root);
  const isUnder = found.linesPercent < floor.linesPercent || found.branchesPercent < floor.branchesPercent;
  say(`Coverage of ${FOLDERS.join(', ')}: ${inWords(found)}; the floor is ${inWords(floor)}.`);
  if (isUnder) say('That is under the floor: test what is new, the report is in coverage/lcov-report.');
  else if (isFarAbove(found, floor)) say(`Raise the floor to it, in ${FLOOR_FILE}: it only ever rises.`);
  return isUnder ? { passed: 0, failed: 1, skipped: 0 } : { passed: 1, failed: 0, skipped: 0 };
}

/**
 * @param {string} root
 * @returns {Coverage}
 */
function measured(root) {
  /** @type {Record<string, FileSummary>} */
  const summary = JSON.parse(readFileSync(join(root, 'coverage', 'coverage-summary.json'), 'utf8'));
  const files = Object.entries(summary).filter(([path]) => FOLDERS.includes(relative(root, path).split(sep)[0] ?? ''));
  const counts = files.map(([, file]) => file);
  return {
    linesPercent: percentOf(counts.map(({ lines }) => lines)),
    branchesPercent: percentOf(counts.map(({ branches }) => branches)),
  };
}

/**
 * To one hundredth, downwards.
 * @param {readonly Count[]} counts
 */
function percentOf(counts) {
  const total = counts.reduce((sum, count) => sum + count.total, 0);
  const covered = counts.reduce((sum, count) => sum + count.covered, 0);
  return Math.floor((10_000 * covered) / total) / 100;
}

/**
 * @param {Coverage} found
 * @param {Coverage} floor
 */
function isFarAbove(found, floor) {
  const above = [found.linesPercent - floor.linesPercent, found.branchesPercent - floor.branchesPercent];
  return Math.max(...above) > MARGIN_PERCENT;
}

/** @param {Coverage} coverage */
function inWords({ linesPercent, branchesPercent }) {
  return `${linesPercent} % of lines, ${branchesPercent} % of branches`;
}
