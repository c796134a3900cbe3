import { writeFileSync } from 'node:fs';

/**
 * A jest reporter that leaves the counts of the run in the file named by SWITCHBOARD_TEST_COUNTS. The launcher adds its
 * checks and prints the closing line when jest has ended: only then is it the last line for certain.
 */
class ClosingLineReporter {
  /**
   * A test file that could not be run at all counts as one failure.
   * @param {unknown} _contexts
   * @param {import('@jest/reporters').AggregatedResult} results
   */
  onRunComplete(_contexts, results) {
    const countsFile = process.env.SWITCHBOARD_TEST_COUNTS;
    if (countsFile === undefined) return;
    const counts = {
      passed: results.numPassedTests,
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    };
    writeFileSync(countsFile, JSON.stringify(counts));
  }
}

/** Jest asks for a default export. */
export { ClosingLineReporter as default };
