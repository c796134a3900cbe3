import base from './jest.config.js';

/** Recordings are replayed against a lab alone: `REPLAY_FILE=FILE npm run replay`. @type {import('jest').Config} */
const replay = {
  ...base,
  globalSetup: undefined,
  globalTeardown: undefined,
  testMatch: ['<rootDir>/test/lab/replay/replay-file.ts'],
  collectCoverage: false,
};

/** Jest asks for a default export. */
export { replay as default };
