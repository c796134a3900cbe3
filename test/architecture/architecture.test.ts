import { describe, expect, it } from '@jest/globals';
import { checkArchitecture } from './check.ts';

describe('the architecture of this repository', () => {
  it('keeps every rule of the house', () => {
    const found = checkArchitecture(process.cwd()).map((one) => `${one.path}: ${one.message} [${one.rule}]`);

    expect(found).toEqual([]);
  });
});
