import type { TestStack } from './test-stack.ts';
import { startTestStack } from './test-stack.ts';

declare global {
  /** From jest's global set-up to its global tear-down; test files do not see it. */
  var switchboardTestStack: TestStack | undefined;
}

/** Jest workers are started later and inherit the environment. */
async function globalSetup(jest: { readonly rootDir: string }): Promise<void> {
  const stack = await startTestStack(jest.rootDir, process.env);
  globalThis.switchboardTestStack = stack;
  process.env['SWITCHBOARD_TEST_TEMPORAL_ADDRESS'] = stack.temporalAddress;
  process.env['SWITCHBOARD_TEST_DATABASE_URL'] = stack.databaseUrl;
}

/** Jest asks for a default export. */
export { globalSetup as default };
