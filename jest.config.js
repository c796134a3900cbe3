/** @type {import('jest').Config} */
export default {
  rootDir: '.',
  testEnvironment: 'node',
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2023', experimental: { keepImportAttributes: true } },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.switchboard/'],
  testTimeout: 60_000,
  maxWorkers: 2,
  // Every test file gets a process of its own: Temporal's native runtime outlives jest's module registry, and one file's
  // leftovers must not hang the next.
  workerIdleMemoryLimit: '1MB',
  collectCoverage: true,
  // Workflows run in Temporal's sandbox: only this provider lets their counts be merged (test/support/workflow-coverage.ts).
  coverageProvider: 'babel',
  collectCoverageFrom: [
    '{domain,workflows,activities,adapters,api,cli,lab}/**/*.ts',
    '!**/*.d.ts',
    '!**/*.generated.ts',
    '!lab/model/{messages,records}.ts',
  ],
  coverageDirectory: 'coverage',
  coverageReporters: ['text-summary', 'lcov', 'json-summary'],
};
