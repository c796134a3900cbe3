import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

/** Where the build leaves the bundle that every worker loads: made once, so that all workers run the same code. */
export function bundlePath(): string {
  return fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
}

/** Part of the build: bundles the compiled workflows for Temporal's sandbox. */
async function bundle(): Promise<void> {
  const workflowsPath = fileURLToPath(new URL('../workflows/index.js', import.meta.url));
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
  await mkdir(dirname(bundlePath()), { recursive: true });
  await writeFile(bundlePath(), code);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle();
