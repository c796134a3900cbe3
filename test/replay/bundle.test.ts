import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const ROOT = new URL('../../', import.meta.url);
const MAX_BYTES = 1_000_000;
const PACKAGES = ['@temporalio/common', '@temporalio/workflow', 'long', 'ms', 'nexus-rpc'];

describe('the bundle that workers load', () => {
  let code: string;
  beforeAll(async () => {
    const workflowsPath = fileURLToPath(new URL('workflows/index.ts', ROOT));
    const bundle = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
    code = bundle.code.replace(/\n\/\/# sourceMappingURL=.*$/s, '');
  });

  it('is small without its map', () => {
    expect(Buffer.byteLength(code)).toBeLessThan(MAX_BYTES);
  });

  it('holds no package but the workflow SDK and what that brings', () => {
    const packages = new Set([...code.matchAll(/node_modules\/((?:@[^/"]+\/)?[^/"]+)\//g)].map((match) => match[1]));
    expect([...packages].sort()).toEqual(PACKAGES);
  });
});

describe('the packages of the Temporal SDK', () => {
  // Two copies do not know each other's classes: histories in JSON could not be read any more.
  it('share one protobufjs, of version 8', () => {
    const found = ['common', 'proto', 'worker'].map((name) => {
      const fromThere = createRequire(new URL(`node_modules/@temporalio/${name}/package.json`, ROOT));
      return fromThere.resolve('protobufjs/package.json');
    });
    expect(new Set(found).size).toBe(1);
    expect(createRequire(import.meta.url)(found[0] ?? '')).toMatchObject({ version: expect.stringMatching(/^8\./) });
  });
});
