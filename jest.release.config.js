import base from './jest.config.js';

/** The release tests bring servers of their own and take minutes: `npm run test:release`. @type {import('jest').Config} */
const release = {
  ...base,
  globalSetup: undefined,
  globalTeardown: undefined,
  testMatch: ['<rootDir>/test/release/*.ts'],
  collectCoverage: false,
};

/** Jest asks for a default export. */
export { release as default };
