import { fileURLToPath } from 'node:url';
import { WorkflowCoverage } from '@temporalio/nyc-test-coverage';
import type { WorkerOptions } from '@temporalio/worker';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const RUNBOOKS = fileURLToPath(new URL('../../workflows/', import.meta.url));

/** The runbooks, bundled so that lines run in Temporal's sandbox count in the coverage of the test file. */
export interface CoveredWorkflows {
  /** The options for `Worker.create`, with the bundle put in. */
  workerOptions(options: Omit<WorkerOptions, 'workflowBundle' | 'workflowsPath'>): WorkerOptions;
  /** To be called once, after the worker has stopped. */
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
      holder.__coverage__ = ofRunbooks(ofJest ?? {});
      coverage.mergeIntoGlobalCoverage();
      holder.__coverage__ = { ...ofJest, ...ofRunbooks(holder.__coverage__) };
    },
  };
}

/**
 * Keeps the files of the runbooks and their kit. What else is in the bundle (domain) was compiled in another way than jest
 * does it; the counts of both cannot be added up, and jest's own are the better ones. Copies with a fault put in do not count.
 * The merge leaves objects of a class where jest takes plain data only ("Invalid file coverage object").
 */
function ofRunbooks(coverage: NonNullable<CoverageGlobal['__coverage__']>): typeof coverage {
  const entries = Object.entries(coverage).filter(([path]) => path.startsWith(RUNBOOKS));
  return Object.fromEntries(entries.map(([path, file]) => [path, (file.data ?? file) as typeof file]));
}
