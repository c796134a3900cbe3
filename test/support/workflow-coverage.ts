import { dirname } from 'node:path';
import { WorkflowCoverage } from '@temporalio/nyc-test-coverage';
import type { WorkerOptions } from '@temporalio/worker';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

/** The runbooks, bundled so that lines run in Temporal's sandbox count in the coverage of the test file. */
export interface CoveredWorkflows {
  /** The options for `Worker.create`, with the bundle put in. */
  workerOptions(options: Omit<WorkerOptions, 'workflowBundle' | 'workflowsPath'>): WorkerOptions;
  /** To be called once, after the last worker of the file has stopped. */
  mergeCoverage(): void;
}

interface CoverageGlobal {
  /** Istanbul's record of this test file: path of the source → counts. */
  __coverage__?: Record<string, { readonly data?: unknown }>;
}

/** One bundle serves every worker of a test file (about 1 s to build). */
export async function coverWorkflows(workflowsPath: string): Promise<CoveredWorkflows> {
  const holder = globalThis as CoverageGlobal;
  // Without this record the bundle is not instrumented; jest makes it only once a covered file is imported.
  holder.__coverage__ ??= {};
  const coverage = new WorkflowCoverage();
  const logger = new DefaultLogger('WARN');
  const workflowBundle = await bundleWorkflowCode(coverage.augmentBundleOptions({ workflowsPath, logger }));
  return {
    workerOptions: (options) => coverage.augmentWorkerOptionsWithBundle({ ...options, workflowBundle }),
    mergeCoverage: () => {
      const ofJest = holder.__coverage__;
      holder.__coverage__ = {};
      coverage.mergeIntoGlobalCoverage();
      holder.__coverage__ = { ...ofJest, ...ofFolder(dirname(workflowsPath), holder.__coverage__) };
    },
  };
}

/**
 * Keeps the files of the runbooks. What else is in the bundle (domain) was compiled in another way than jest does it;
 * the counts of both cannot be added up, and jest's own are the better ones.
 * The merge leaves objects of a class where jest takes plain data only ("Invalid file coverage object").
 */
function ofFolder(folder: string, coverage: NonNullable<CoverageGlobal['__coverage__']>): typeof coverage {
  const entries = Object.entries(coverage).filter(([path]) => path.startsWith(folder));
  return Object.fromEntries(entries.map(([path, file]) => [path, (file.data ?? file) as typeof file]));
}
